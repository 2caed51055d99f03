"""`bench check`: conformance checks of a component, a file or a module, each component in its own child process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.base import Spec, component_name, label
from harness.conformance import Verdict
from harness.discovery import sources
from harness.discovery.catalogue import Catalogue, Describe, gather
from harness.errors import BenchError, Failure, near_miss
from harness.run.load import add_to_path, describer, own
from harness.suite.compose import compose
from harness.suite.expand import Expander
from harness.suite.imports import IMPORT, split_kind
from harness.suite.nodes import Node, Pairs, Word
from harness.suite.source import Findings, Source
from harness.worker.supervisor import Server

WITHIN = 120.0
"""Seconds in which a component has to pass its conformance checks."""


class Checked(NamedTuple):
    """One component and its verdicts; no verdicts if its kind has no conformance checks."""

    kind: str
    label: str
    place: str
    verdicts: list[Verdict]


class Subjects(NamedTuple):
    """Components to check, as (kind, spec), and the catalogue."""

    catalogue: Catalogue
    specs: list[tuple[str, Spec]]


def check(
    text: str, plugins: Sequence[str] = (), blocked: Sequence[str] = (), timeout: float = WITHIN
) -> Iterator[Checked]:
    """Check every component that `text` names, one after the other: those of a plugin file or module, or one by name.

    A name may have its kind before it and its fields after it, as in a suite: `sampler:ddim`, `ddim: {eta: [0, 1]}`.
    Raises BenchError or Mistakes for a component that cannot be found or used. One that crashes, or is not done in
    `timeout` seconds, has failed.
    """
    add_to_path(Path.cwd())  # modules beside, as a suite finds them
    with Server() as server:
        named = own((plugin, Path.cwd(), None) for plugin in plugins)
        subjects = _subjects(text, named, blocked, describer(server))
        for kind, spec in subjects.specs:
            entry = subjects.catalogue.table[kind, component_name(spec)]
            verdicts = _verdicts(subjects.catalogue, kind, spec, server, timeout)
            yield Checked(kind, label(spec), f"{entry['file']}:{entry['line']}", verdicts)


FOLDER = "name one of its files, or its package once that can be imported"


def _subjects(text: str, named: list[sources.Source], blocked: Sequence[str], describe: Describe) -> Subjects:
    if text.endswith("/") and Path(text).is_dir():
        raise BenchError(f"{text} is a folder: {FOLDER}")
    if text.endswith(".py") or ("/" in text and ":" not in text):
        return _brought(text, named, blocked, describe)
    catalogue = gather(named, blocked, describe)
    findings = Findings()
    node = compose(Source("bench check", text, is_file=False), findings)
    findings.stop()
    kinds = _kinds(node, catalogue)
    if not kinds and catalogue.complete():
        kinds = _kinds(node, catalogue)
    if not kinds and isinstance(node, Word) and sources.locate(text) is not None:
        return _brought(text, named, blocked, describe)
    if text and not kinds and Path(text).is_dir():
        raise BenchError(f"{text} is a folder: {FOLDER}")
    if node is None or not kinds:
        near = near_miss(split_kind(text)[1], [name for _, name in catalogue.table])
        raise BenchError(f"no component, plugin file or module is called {text!r}{near}")
    if len(kinds) > 1:
        name = split_kind(_name(node))[1]
        raise BenchError(f"{name} is in several kinds: say {' or '.join(f'{kind}:{name}' for kind in kinds)}")
    choices = Expander(catalogue.table, findings, Path.cwd()).choices(node, kinds[0])
    findings.stop()
    return Subjects(catalogue, [(kinds[0], choice.spec) for choice in choices])


def _brought(text: str, named: list[sources.Source], blocked: Sequence[str], describe: Describe) -> Subjects:
    """Return the components of a plugin file or module."""
    plugin = sources.given(text, Path.cwd())
    catalogue = gather([*named, plugin], blocked, describe)
    keys = [key for key in catalogue.table if catalogue.sources([key])[0].file == plugin.file]
    if not keys:
        raise BenchError(f"{text} brings no component")
    return Subjects(catalogue, [(kind, {"name": name}) for kind, name in keys])


def _kinds(node: Node | None, catalogue: Catalogue) -> list[str]:
    """Return the kinds that have a component of this name."""
    said, name = split_kind(_name(node))
    if said and IMPORT.fullmatch(name):
        catalogue.import_paths([(said, name)])
    return [kind for kind, known in catalogue.table if known == name and said in (None, kind)]


def _name(node: Node | None) -> str:
    """Return the word that names the component."""
    if isinstance(node, Pairs) and node.pairs:
        return node.pairs[0][0].text
    return node.text if isinstance(node, Word) else ""


def _verdicts(catalogue: Catalogue, kind: str, spec: Spec, server: Server, timeout: float) -> list[Verdict]:
    fields = catalogue.table[kind, component_name(spec)]["fields"]
    missing = [name for name, field in fields.items() if "default" not in field and name not in spec]
    if missing:
        example = f"'{spec['name']}: {{{missing[0]}: ...}}'"
        return [Verdict("fields", None, f"fields: {', '.join(missing)} must be given, as in bench check {example}")]
    plugins = [source.data() for source in catalogue.sources(catalogue.used(kind, spec))]
    child = server.start()
    try:
        question = {"ask": "check_component", "plugins": plugins, "kind": kind, "spec": spec}
        return child.ask(question, list[Verdict], timeout)
    except Failure as failure:
        return [Verdict("process", False, f"process: {failure.status}: {failure.reason}")]
    finally:
        child.close()
