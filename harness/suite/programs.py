"""Suites whose trainer runs a program: their axes hold words and numbers, which are placed into its command."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import Spec, component_name
from harness.command_line import filled, placeholders, stray_brace, words
from harness.errors import BenchError
from harness.fields import text_form
from harness.kinds import PROGRAM_INPUTS
from harness.processes import program_environment
from harness.suite.cells import Point
from harness.suite.imports import split_kind
from harness.suite.nodes import Items, Node, Pairs, Word, is_null, words_of
from harness.suite.source import Findings, Place, shown

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table

TRAINER, DATA = "trainer", "data"


@dataclass(frozen=True)
class Program:
    """Placeholders that the commands of external trainers may use, and those `used` in one of them.

    `axes` are those of the suite beside its trainers, `fields` the settings of its protocol.
    """

    axes: tuple[str, ...]
    fields: tuple[str, ...]
    used: frozenset[str]

    @property
    def offered(self) -> tuple[str, ...]:
        """All placeholders."""
        return (*PROGRAM_INPUTS, *self.fields, *self.axes)

    @property
    def has_data(self) -> bool:
        """Whether the data set is one of the harness's, because a command takes its file."""
        return DATA in self.used


def program(root: Pairs, table: Table, fields: Collection[str], findings: Findings) -> Program | None:
    """Return what commands may use if the suite's trainers are external; None if they are not.

    `fields` are the settings of its protocol. A suite that has both sorts notes a mistake: no metric applies to both.
    """
    vary = root.get("vary")
    below = vary if isinstance(vary, Pairs) else Pairs(root.place, ())
    nodes = [node for node in (root.get(TRAINER), below.get(TRAINER)) if node is not None and not is_null(node)]
    entries = [item for node in nodes for item in _items(node)]
    external = [each for each in entries if _is_external(each, table)]
    if not external:
        return None
    if len(external) < len(entries):
        other = next(each for each in entries if each not in external)
        what = "a trainer that runs a program is not compared with one that does not: no metric applies to both"
        findings.add(other.place, what)
    reserved = (TRAINER, *PROGRAM_INPUTS, *fields)
    axes = tuple(name for name, _, _ in below.named() if name not in reserved)
    known = {name for each in external for name in _of_node(each, table, (*PROGRAM_INPUTS, *fields, *axes))}
    return Program(axes, tuple(fields), frozenset(known))


def _items(node: Node) -> Iterator[Node]:
    if isinstance(node, Pairs) and len(node.pairs) == 1 and node.pairs[0][0].text == "sweep":
        node = node.pairs[0][1]
    yield from node.items if isinstance(node, Items) else (node,)


def _name(node: Node, table: Table) -> str | None:
    """Return the name of the trainer that is written, if there is one of that name."""
    written = [word.text for word, _ in node.pairs if word.text != "as"] if isinstance(node, Pairs) else []
    written += [node.text] if isinstance(node, Word) else []
    return next((name for _, name in map(split_kind, written) if (TRAINER, name) in table), None)


def _is_external(node: Node, table: Table) -> bool:
    name = _name(node, table)
    return name is not None and table[TRAINER, name].get("facts", {}).get("external", False)


def _of_node(node: Node, table: Table, every: Collection[str]) -> set[str]:
    """Return the names that a written trainer takes: all where it has no command, or lacks it, but for the data."""
    written = [name for word in words_of(node) for name in _names(word.text)]
    texts = list(_commands({"name": str(_name(node, table))}, table))
    if not texts or (isinstance(node, Word) and None in texts):
        return {*every} - {DATA}
    return {*written, *(name for text in texts if text is not None for name in _names(text))}


def check_unused(root: Pairs, found: Program, findings: Findings) -> None:
    """Note a mistake at every axis and setting that no command takes, which would change nothing, and for the seed."""
    for key, names in (("vary", found.axes), ("settings", found.fields), ("tune", ("lr",))):
        node = root.get(key)
        for name, word, _ in node.named() if isinstance(node, Pairs) else ():
            if name in names and name not in found.used and not findings.suggested(name):
                findings.add(word.place, f"{key}: no command has the placeholder {{{name}}}, so this changes nothing")
    if "seed" not in found.used and not findings.suggested("seed"):
        nodes = [node for node in (root, root.get("vary")) if isinstance(node, Pairs)]
        at = next(word.place for node in nodes for name, word, _ in node.named() if name == TRAINER)
        findings.add(at, "no command has the placeholder {seed}: every seed would be the same run")


def with_unused(points: Sequence[Point], axes: Sequence[str], table: Table) -> list[Point]:
    """Return trainers that know which axes their own command does not take: one cell stands for all points of those."""
    return [replace(p, unused_kinds=tuple(a for a in axes if not _takes(p.spec, a, table))) for p in points]


def _takes(spec: Spec, axis: str, table: Table) -> bool:
    """Return whether a command of a trainer has the placeholder of an axis; true where it has no command."""
    texts = list(_commands(spec, table))
    return not texts or any(axis in _names(text) for text in texts if text is not None)


def _commands(spec: Spec, table: Table) -> Iterator[str | None]:
    """Yield the command in each of a trainer's fields for one, or its default; None where it has neither."""
    for name, field in table[TRAINER, component_name(spec)]["fields"].items():
        if text_form(field["schema"]) == "command":
            text = spec.get(name, field.get("default"))
            yield text if isinstance(text, str) else None


def _names(text: str) -> set[str]:
    """Return the names of the placeholders in a text; the file of the data set stands for its axis too."""
    found = {each.name for each in placeholders(text)}
    return found | ({"dataset"} if DATA in found else set())


def check_command(node: Word, text: str, offered: Collection[str], folder: Path, findings: Findings) -> None:
    """Note a mistake for a placeholder that is not offered, and for a program or script that does not exist."""
    at = stray_brace(text)
    if at is not None:
        findings.add(_within(node, text, at), f"a brace alone: write {text[at] * 2} for one in the command")
        return
    unknown = [each for each in placeholders(text) if each.name not in offered]
    for each in unknown:
        at_name = _within(node, text, each.at)
        findings.add(at_name, f"unknown placeholder {{{each.name}}}", each.name, offered, most=30)
    try:
        found = words(text)
    except BenchError as error:
        findings.add(node.place, error.what)
        return
    if not unknown:
        _check_files(node, text, found, folder, findings)


def _check_files(node: Word, text: str, found: list[str], folder: Path, findings: Findings) -> None:
    """Check the program, and the script of a Python, where they have no placeholders."""
    executable, script = (filled(word, {}) for word in [*found, ""][:2])
    if executable is None:
        return
    if executable_file(executable, folder) is None:
        findings.add(node.place, f"no program {shown(executable)} {_where(executable)}")
        return
    python = Path(executable).name.startswith("python")
    if python and script and not script.startswith("-") and not (folder / script).is_file():
        beside = [file.name for file in folder.glob("*.py")]
        place = _within(node, text, text.find(script))
        findings.add(place, f"no file {shown(script)} beside the suite", script, beside)


def _where(executable: str) -> str:
    return "beside the suite, or it may not be executed" if os.sep in executable else "on the PATH"


def executable_file(executable: str, folder: Path) -> str | None:
    """Return the file of a program: beside the suite where its name has a slash, else on the PATH; None for none."""
    name = str(folder.resolve() / executable) if os.sep in executable else executable
    return shutil.which(name, path=program_environment()["PATH"])


def _within(node: Word, text: str, at: int) -> Place:
    """Return the place of a letter of a text where the line shows the text as it is; else that of the whole text."""
    place = node.place
    lines = place.source.lines
    line = lines[place.line - 1] if place.source.is_file and place.line <= len(lines) else text
    start = line.find(text, place.column - 1 if place.source.is_file else 0)
    return replace(place, column=start + at + 1) if start >= 0 else place
