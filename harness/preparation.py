"""From a suite file to a checked suite: plugins found, components described, every mistake reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import select, suite
from harness.catalogue import Catalogue, gather
from harness.engines.local import Failure, Server
from harness.errors import BenchError, Mistakes
from harness.sources import Source
from harness.suite import Cell, Suite

DESCRIBE_WITHIN = 120.0
"""Seconds a plugin may take to be imported and described."""


@dataclass(frozen=True)
class Wishes:
    """What the command line (or `harness.run`) asks for beside the suite."""

    plugins: Sequence[str] = ()
    blocked: Sequence[str] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    select: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A checked suite, the cells asked for, and what is known of every component."""

    suite: Suite
    cells: list[Cell]
    catalogue: Catalogue


def prepare(path: str, wishes: Wishes, server: Server) -> Prepared:
    """Read, describe and check. Raises BenchError or Mistakes for what the user has to mend."""
    document = suite.read(path).override(wishes.overrides)
    folder = Path(path).parent
    named = [(text, Path.cwd()) for text in wishes.plugins] + [(text, folder) for text, _ in document.plugins]
    catalogue = gather(named, wishes.blocked, describer(server))
    catalogue.import_paths(document.imports(catalogue.table))
    try:
        checked = suite.check(document, catalogue.table)
    except Mistakes:
        if not catalogue.complete():  # an installed plugin nobody has looked at yet may have what is missing
            raise
        checked = suite.check(document, catalogue.table)
    match = select.expression(wishes.select) if wishes.select else None
    cells = [cell for cell in checked.cells() if match is None or match(labels_of(cell))]
    return Prepared(checked, cells, catalogue)


def labels_of(cell: Cell) -> str:
    """The text that `-k` is matched against."""
    return " ".join(str(value) for value in cell.vary.values())


def describer(server: Server) -> Callable[[list[Source]], Mapping[str, Any]]:
    """Describes plugins in children: the stock ones together, each other one alone, so that none takes another down."""

    def describe(plugins: list[Source]) -> Mapping[str, Any]:
        stock = [source for source in plugins if source.origin == "stock"]
        groups = [stock, *([source] for source in plugins if source.origin != "stock")]
        answers: dict[str, Any] = {}
        for group in filter(None, groups):
            answers |= _describe(server, group)
        return answers

    return describe


def _describe(server: Server, group: list[Source]) -> dict[str, Any]:
    child = server.start()
    try:
        answer: dict[str, Any] = child.ask({"ask": "describe", "plugins": [s.data() for s in group]}, DESCRIBE_WITHIN)
        return answer
    except Failure as failure:
        place = group[0].file if len(group) == 1 else "the stock plugins"
        return {
            source.name: {"error": str(BenchError(f"cannot be imported: {failure.reason}", place))} for source in group
        }
    finally:
        child.close()
