"""`bench log`: why a row of a stored run failed: its reason, its traceback, what its process printed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.analysis.pairing import full_name, naming, text
from harness.errors import BenchError, Frame, Raised, near_miss, printable
from harness.report.words import NO_REASON, counted, reason
from harness.results import Row, Run, Status, failures

SHOWN = 40
"""Lines of the output that are shown, the last ones, unless all are asked for."""
READ = 1 << 16
"""Bytes of the output that are read for them."""
LEAST = 4
"""Characters of an id that name a row, and no label does."""
_BETWEEN = {
    "cause": "and, as its consequence:",
    "context": "and, while it was handled:",
}


@dataclass(frozen=True)
class RowLog:
    """Log of a row: its name, why it ended, its exceptions, the file of the output (None: none is kept), its output."""

    name: str
    row: Row
    trace: Sequence[Raised]
    file: Path | None
    output: str


def row_log(run: Run, folder: Path, wanted: str, whole: bool = False) -> RowLog:
    """Return the log of a row by its name or the beginning of its id; `folder` is the run's own.

    `whole` reads all of the output. Raises BenchError if no row, or several, have that name.
    """
    row = find(run, wanted)
    found = failures.details(folder, row.id)
    file = folder / failures.LOGS / found["log"]
    output = _tail(file, None if whole else READ) if file.is_file() else ""
    return RowLog(full_name(run, row.vary), row, printable(found["trace"]), file if output else None, output)


def find(run: Run, wanted: str) -> Row:
    """Return the row of that name, or whose id begins so. Raises BenchError if none does, or several do."""
    axes, _ = naming(run)
    ways = (
        [row for row in run.cells if full_name(run, row.vary) == wanted],
        [row for row in run.cells if text(row.vary, axes) == wanted],
        [row for row in run.cells if row.id.startswith(wanted)] if len(wanted) >= LEAST else [],
    )
    rows = next(filter(None, ways), [])
    names = [full_name(run, row.vary) for row in rows or run.cells]
    if not rows:
        labels = [text(row.vary, axes) for row in run.cells]
        near = near_miss(wanted, [*labels, *names])
        raise BenchError(f"no row {wanted!r} in {run.run}{near.suggestion or near_miss(wanted, names)}")
    if len(rows) > 1:
        if len({*names}) < len(rows):
            names = [row.id[: failures.NAMED] for row in rows]
        shown = ", ".join(names[:12]) + ", ..." * (len(names) > 12)
        raise BenchError(f"{len(rows)} rows of {run.run} are {wanted!r}: say one of {shown}")
    return rows[0]


def _tail(file: Path, most: int | None) -> str:
    with file.open("rb") as stream:
        if most is not None:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - most))
        return printable(stream.read().decode(errors="replace"))


def lines(found: RowLog, whole: bool = False) -> Iterator[str]:
    """Yield a row's log; `whole` shows the frames of the harness and all of the output too."""
    why = reason(found.row.why) if found.row.why else NO_REASON
    said = "" if found.row.status is Status.OK and found.row.why is None else f": {why}"
    yield f"{found.name} ({found.row.id[: failures.NAMED]}) {found.row.status}{said}"
    if found.trace:
        hidden = sum(frame["ours"] for raised in found.trace for frame in raised["frames"])
        left_out = f" ({counted(hidden, 'frame')} of the harness left out: -v)" if hidden and not whole else ""
        yield from ("", f"Traceback{left_out}")
        yield from _traceback(found.trace, whole)
    printed = found.output.splitlines()
    if not printed:
        yield from ("", "It printed nothing that is kept.")
        return
    shown = printed if whole else printed[-SHOWN:]
    rest = f" (its last {SHOWN} lines, all: -v)" if len(shown) < len(printed) else ""
    yield from ("", f"Output, {found.file}{rest}", *(f"  {line}" for line in shown))


def _traceback(trace: Sequence[Raised], whole: bool) -> Iterator[str]:
    for place, raised in enumerate(trace):
        if place:
            yield f"  {_BETWEEN[raised['after'] or 'context']}"
        yield from (line for frame in raised["frames"] if whole or not frame["ours"] for line in _frame(frame))
        yield from (f"  {line}" for line in raised["text"].splitlines())


def _frame(frame: Frame) -> Iterator[str]:
    yield f"  {_near(frame['file'])}:{frame['line']} in {frame['function']}"
    yield from [f"    {frame['code']}"] if frame["code"] else []


def _near(file: str) -> str:
    """Return a file relative to the working directory if it lies below it."""
    return file.removeprefix(f"{Path.cwd()}/")
