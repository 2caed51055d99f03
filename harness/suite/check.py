"""Check of a document against the component table: either a suite, or every mistake in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.base import component_name
from harness.fields import Json
from harness.suite import axes, programs, rows, sections, tuning
from harness.suite.cells import DEVICE, Point, Suite
from harness.suite.claims import claims
from harness.suite.document import Document
from harness.suite.expand import Expander
from harness.suite.gates import gates
from harness.suite.metrics import metrics_of, trainer_of, trainer_points
from harness.suite.nodes import Pairs, is_null
from harness.suite.points import setting_points
from harness.suite.programs import Program
from harness.suite.protocol import Protocol, protocol
from harness.suite.published import published
from harness.suite.questions import question
from harness.suite.reference import reference
from harness.suite.resources import resources
from harness.suite.source import Place, shown

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table

KEYS = (
    "suite", "question", "protocol", "vary", "settings", "trainer", "tune", "seeds", "metrics", "baseline", "group_by",
    "margin", "interval", "gates", "claims", "published", "reference", "plugins", "device", "resources",
)  # fmt: skip
"""Keys of a suite."""

RESERVED = ("data",)
"""Reserved keys that this version does not read."""

INTERVALS = ("both", "seeds", "examples")
DEVICES = ("auto", "cpu", "cuda")
MOST_CELLS = 100_000


def check(
    document: Document, table: Table, overrides: Mapping[str, str] | None = None, *, challenged: bool = False
) -> Suite:
    """Return the suite that a document describes, with dotted keys overridden as by `--set KEY=TEXT`.

    One that is `challenged` is compared with other code, and needs no baseline of its own.
    Raises Mistakes with one entry per mistake, and BenchError for an override that cannot be applied.
    """
    document = document.override(overrides)
    findings = document.findings.copy()
    expander = Expander(table, findings, document.path.parent)
    _top(document.root, expander)
    found = protocol(document.root.get("protocol"), expander)
    suite = _suite(document, expander, found, challenged)
    if suite.size() > MOST_CELLS:
        findings.add(_at(document.root, "vary"), f"the grid has {suite.size()} cells, at most {MOST_CELLS} are allowed")
    findings.stop()
    return suite


def _top(root: Pairs, expander: Expander) -> None:
    findings = expander.findings
    for name, word, _ in root.named():
        if name in RESERVED:
            findings.add(word.place, f"the key {name} is not supported by this version")
        elif name not in KEYS:
            findings.add(word.place, f"unknown key {shown(word.text)}", word.text, KEYS)
    if is_null(root.get("protocol")) and not findings.suggested("protocol"):
        findings.add(root.place, "the key protocol is missing", "", expander.names("protocol"))
    if is_null(root.get("vary")) and not findings.suggested("vary"):
        findings.add(root.place, "the key vary is missing")


def _at(root: Pairs, key: str) -> Place:
    return next((word.place for name, word, _ in root.named() if name == key), root.place)


def _suite(document: Document, expander: Expander, found: Protocol | None, challenged: bool) -> Suite:
    root, findings = document.root, expander.findings
    program = _program(root, expander, found)
    kinds, settings = _grid(root, expander, found, program)
    written = tuple(kinds)
    trainer = trainer_of(root.get("trainer"), expander, found, "trainer" in written)
    compared, beside = reference(root.get("reference"), _at(root, "reference"), expander, found)
    kinds = trainer_points(trainer) | compared | kinds
    if program is not None:
        programs.check_unused(root, program, findings)
    if found is not None and not is_null(root.get("vary")):
        kinds |= axes.unwritten(kinds, _at(root, "vary"), expander, found, program)
    devices = sections.devices(root.get(DEVICE), DEVICES, findings)
    plain: dict[str, Sequence[Json]] = {**settings, DEVICE: devices}
    grid = kinds | {name: setting_points(several) for name, several in plain.items() if len(several) > 1}
    varies = (*written, *(name for name in grid if name in plain))
    metrics = metrics_of(root.get("metrics"), root.place, expander, found, program)
    entries = {name: component_name(spec) for name, spec in metrics.items()}
    known = list(dict.fromkeys([*found.kinds, *kinds, *settings, DEVICE, "dtype"])) if found else []
    group_by = rows.group_by(root.get("group_by"), known, findings)
    contenders = _contenders(varies, found, group_by, program)
    asked, asks = question(root.get("question"), {a: grid[a] for a in varies}, contenders, entries, findings)
    return Suite(
        axes=grid, varies=varies, contenders=contenders, metrics=metrics, trainer=trainer, group_by=group_by,
        protocol=found.name if found else "", device=devices[0],
        settings={name: several[0] for name, several in settings.items() if len(several) == 1},
        setting_names=tuple(name for name in (found.fields if found else ()) if name in settings),
        tune=tuning.tune(root.get("tune"), expander, found, _competing(kinds, found), entries),
        baseline=rows.baseline(root.get("baseline"), {axis: grid[axis] for axis in contenders}, findings),
        margin=sections.margin(root.get("margin"), entries, findings),
        gates=gates(root.get("gates"), entries, challenged or not is_null(root.get("baseline")), expander, found),
        claims=claims(root.get("claims"), {a: grid[a] for a in varies}, metrics, expander),
        published=published(root.get("published"), {a: grid[a] for a in varies}, contenders, entries, findings),
        file=document.path,
        reference=beside,
        name=sections.suite_name(root.get("suite"), document.path, findings), question=asked, asks=asks,
        seeds=sections.seeds(root.get("seeds"), findings),
        interval=sections.choice(root.get("interval"), "interval", INTERVALS, findings),
        plugins=sections.plugins(root.get("plugins"), document.path.parent, findings),
        resources=resources(root.get("resources"), findings),
    )  # fmt: skip


def _program(root: Pairs, expander: Expander, found: Protocol | None) -> Program | None:
    """Return what commands may use, known to the expander from here on; None without an external trainer."""
    if found is None or programs.TRAINER not in found.kinds:
        return None
    program = programs.program(root, expander.table, found.fields, expander.findings)
    expander.placeholders = program.offered if program is not None else ()
    return program


def _competing(kinds: Mapping[str, list[Point]], found: Protocol | None) -> dict[str, list[Point]]:
    """Return the components that compete, whose fields may be tuned."""
    compared = {kind: kinds[kind] for kind in kinds if found and kind in found.compared_kinds}
    return {kind: points for kind, points in compared.items() if all(point.is_component for point in points)}


def _grid(
    root: Pairs, expander: Expander, found: Protocol | None, program: Program | None
) -> tuple[dict[str, list[Point]], dict[str, list[Json]]]:
    kinds = axes.vary(root.get("vary"), expander, found, program)
    settings = axes.settings(root.get("settings"), _at(root, "settings"), expander, found) if found else {}
    tuned = root.get("tune")
    if isinstance(tuned, Pairs) and tuned.get("lr") is not None and "lr" in settings:
        said = root.get("settings")
        if isinstance(said, Pairs) and (node := said.get("lr")) is not None:
            expander.findings.add(node.place, "lr: tune chooses it, leave it to one of the two")
    return kinds, settings


def _contenders(
    varies: tuple[str, ...], found: Protocol | None, group_by: list[str] | None, program: Program | None
) -> tuple[str, ...]:
    """Return the axes that compete: those of the protocol, and of a program all that the protocol does not know."""
    if group_by is not None:
        return tuple(axis for axis in varies if axis not in group_by)
    if found is None:
        return ()
    others = {*found.kinds, *found.fields, DEVICE} if program is not None else {*varies}
    return tuple(axis for axis in varies if axis in found.compared_kinds or axis not in others)
