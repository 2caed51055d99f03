"""`bench runs`: the runs of a results folder, the newest first."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.cells import cell_len, set_cell_size

from harness.errors import BenchError
from harness.report.glyphs import Glyphs
from harness.results import contents
from harness.results.contents import RunFiles

HEADS = ("run", "when", "suite", "protocol", "cells", "exit", "commit")
RIGHT = frozenset({"when", "cells", "exit"})
FLEXIBLE = ("suite", "protocol")
"""Columns that are cut where the screen is narrow, the first one first, to LEAST columns each."""
LEAST, GAP = 8, 2
SHORT = 7
"""Characters of a commit that are shown."""
STAMP = re.compile(r"\d{8}-\d{6}")
AGES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


@dataclass(frozen=True)
class Surroundings:
    """Parts of a run's environment that the list shows."""

    commit: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True)
class Brief:
    """Parts of a result that the list shows."""

    suite: str
    protocol: str
    exit: int = 0
    cells: tuple[object, ...] = ()
    environment: Surroundings = field(default_factory=Surroundings)


class StoredRun(NamedTuple):
    """A run of a results folder: its id, when it began in seconds since 1970, its result; None without, and `why`."""

    id: str
    began: float
    result: Brief | None
    why: str = ""


def stored_runs(results: Path) -> list[StoredRun]:
    """Return the runs of a folder, the newest first. Raises BenchError if there is none."""
    found = [_stored(each) for each in reversed(contents.stored_runs(results))]
    if not found:
        raise BenchError(f"no run is stored under {results}")
    return found


def _stored(run: RunFiles) -> StoredRun:
    began = _began(run)
    if not run.result.is_file():
        return StoredRun(run.id, began, None, "running" if run.is_active else "stopped")
    try:
        result = msgspec.json.decode(run.result.read_bytes(), type=Brief)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return StoredRun(run.id, began, None, "damaged")
    return StoredRun(run.id, began, result)


def _began(run: RunFiles) -> float:
    """Return the time in a run's id, whenever its files were copied; that of its last change if it has none."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(run.id[:15], "%Y%m%d-%H%M%S").timestamp()
    return run.changed


def lines(found: Sequence[StoredRun], width: int, ink: Glyphs, now: float | None = None) -> Iterator[str]:
    """Yield the table of some runs, at most `width` wide; then what its signs mean."""
    now = time.time() if now is None else now
    names = _names([each.id for each in found])
    rows = [tuple(map(ink, _cells(each, name, now))) for each, name in zip(found, names, strict=True)]
    widths = _widths([HEADS, *rows], width)
    for row in (HEADS, *rows):
        texts = (_fitted(text, size, head) for text, size, head in zip(row, widths, HEADS, strict=True))
        yield (" " * GAP).join(texts).rstrip()
    if any(each.result and each.result.environment.dirty for each in found):
        yield "* with changes that were not committed"


def _names(ids: Sequence[str]) -> list[str]:
    """Return the shortest name of every run that commands take: the time in its id where no other has that."""
    stamps = [match[0] if (match := STAMP.match(each)) else each for each in ids]
    return [stamp if stamps.count(stamp) == 1 else each for stamp, each in zip(stamps, ids, strict=True)]


def _cells(run: StoredRun, name: str, now: float) -> tuple[str, ...]:
    age = _age(now - run.began)
    if run.result is None:
        return name, age, STAMP.sub("", run.id).lstrip("-"), "", "", run.why, ""
    here = run.result.environment
    commit = f"{here.commit[:SHORT]}{'*' if here.dirty else ''}" if here.commit else ""
    return name, age, run.result.suite, run.result.protocol, str(len(run.result.cells)), str(run.result.exit), commit


def _age(seconds: float) -> str:
    """Describe an age in one unit.

    >>> _age(30), _age(7300), _age(200000)
    ('now', '2 h ago', '2 d ago')
    """
    return next((f"{seconds // size:.0f} {unit} ago" for size, unit in AGES if seconds >= size), "now")


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of the columns: those of their texts, less what is too much."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for head in FLEXIBLE:
        place = HEADS.index(head)
        over = sum(widths) + GAP * (len(widths) - 1) - width
        widths[place] = max(min(widths[place], LEAST), widths[place] - max(over, 0))
    return widths


def _fitted(text: str, size: int, head: str) -> str:
    if cell_len(text) > size:
        return set_cell_size(text, size - 3) + "..."
    space = " " * (size - cell_len(text))
    return space + text if head in RIGHT else text + space
