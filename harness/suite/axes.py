"""The axes of the grid: kinds under `vary`, values under `settings`."""

from __future__ import annotations

from harness.base import Spec, component_name
from harness.fields import Json
from harness.kinds import PROGRAM_INPUTS
from harness.suite import values
from harness.suite.cells import Point
from harness.suite.expand import Expander
from harness.suite.imports import KINDS
from harness.suite.nodes import Node, Pairs, Word, got, is_null
from harness.suite.points import points, value_label
from harness.suite.programs import TRAINER, Program, with_unused
from harness.suite.protocol import Protocol
from harness.suite.source import Place, shown


def vary(
    node: Node | None, expander: Expander, protocol: Protocol | None, program: Program | None = None
) -> dict[str, list[Point]]:
    """Return the points of every kind that is written; words and numbers of any axis if trainers run a program."""
    if node is None or is_null(node):
        return {}
    if not isinstance(node, Pairs) or not node.pairs:
        expander.findings.add(node.place, f"vary: expected a mapping, kind: contenders, got {got(node)}")
        return {}
    wanted = [(kind, value) for kind, word, value in node.named() if _is_kind(kind, word, expander, protocol, program)]
    if program is None:
        return {kind: points(expander, value, kind) for kind, value in wanted}
    components = {TRAINER, "dataset"} if program.has_data else {TRAINER}
    found = {kind: points(expander, value, kind, plain=kind not in components) for kind, value in wanted}
    if TRAINER in found:
        found[TRAINER] = with_unused(found[TRAINER], [axis for axis in found if axis != TRAINER], expander.table)
    return found


def _is_kind(
    kind: str, word: Word, expander: Expander, protocol: Protocol | None, program: Program | None = None
) -> bool:
    settings = protocol.fields if protocol else ()
    if program is not None and kind.isidentifier() and kind not in (*PROGRAM_INPUTS, *settings):
        return True
    kinds = protocol.kinds if protocol else KINDS
    if kind in kinds:
        return True
    if program is not None and kind in PROGRAM_INPUTS:
        expander.findings.add(word.place, f"vary: {{{kind}}} is a placeholder of the harness: choose another name")
        return False
    what = f"{protocol.name if protocol else 'vary'} has no axis {shown(word.text)}"
    if kind in settings:
        expander.findings.add(word.place, f"{what} of components: a setting stands under settings")
    else:
        expander.findings.add(word.place, what, word.text, kinds)
    return False


def unwritten(
    found: dict[str, list[Point]], at: Place, expander: Expander, protocol: Protocol, program: Program | None = None
) -> dict[str, list[Point]]:
    """Return the default point of every kind that the protocol needs and the suite does not write.

    A program needs no component but the data set whose file it takes.
    """
    needed = protocol.required_kinds
    if program is not None:
        needed = {"dataset": None} if program.has_data else {}
    missing = {kind: default for kind, default in needed.items() if kind not in found}
    return {kind: _default(kind, default, at, expander, protocol) for kind, default in missing.items()}


def _default(kind: str, default: Spec | None, at: Place, expander: Expander, protocol: Protocol) -> list[Point]:
    if default is not None:
        expander.resolve(component_name(default), kind, at)
        return [Point(value_label(dict(default)), dict(default))]
    if not expander.findings.suggested(kind):
        expander.findings.add(at, f"{protocol.name} needs a {kind} under vary", "", expander.names(kind))
    return []


def settings(node: Node | None, at: Place, expander: Expander, protocol: Protocol) -> dict[str, list[Json]]:
    """Return every setting of the protocol with its values: those written first, as written, then the defaults."""
    findings, fields = expander.findings, protocol.fields
    if node is not None and not is_null(node) and not isinstance(node, Pairs):
        findings.add(node.place, f"settings: expected a mapping, got {got(node)}")
    found: dict[str, list[Json]] = {}
    for name, word, value in node.named() if isinstance(node, Pairs) else ():
        if name in fields:
            found[name] = expander.axis(value, fields[name]["schema"], protocol.description, name)
        elif name in protocol.kinds:
            findings.add(word.place, f"settings: {name} is a kind of component, write it under vary")
        else:
            findings.add(word.place, f"{protocol.name} has no setting {shown(word.text)}", word.text, fields)
    for name, about in fields.items():
        if "default" in about:
            found.setdefault(name, [values.canonical(about["schema"], about["default"])])
        elif name not in found:
            findings.add(at, f"{protocol.name} needs the setting {name}")
    return found
