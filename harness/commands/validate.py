"""Summary of a correct suite: its size, and whether its seeds can decide anything."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis import partners, verdict_possible
from harness.results import RowInfo
from harness.run.load import LoadedSuite
from harness.run.problems import asked


def summary(prepared: LoadedSuite, notes: Sequence[str] = ()) -> str:
    """Return one line on the suite's size, the notes on its tables, and one on comparisons that are never decided."""
    suite = prepared.suite
    seeds = len(suite.seeds.seeds)
    lines = [f"{suite.file}: {len(prepared.cells)} cells x {seeds} seeds, protocol {suite.protocol}"]
    verdict = undecidable(prepared)
    return "\n".join([*lines, *(f"  note: {note}" for note in [*notes, *([verdict] if verdict else [])])])


def undecidable(prepared: LoadedSuite) -> str | None:
    """Return the reason why no verdict is possible, or None. Raises BenchError for a baseline that is no row."""
    suite = prepared.suite
    links = partners(asked(suite), [RowInfo(id="", vary=cell.vary) for cell in prepared.cells]) or []
    family = sum(link.index not in (None, place) for place, link in enumerate(links))
    return verdict_possible(len(suite.seeds.seeds), family, suite.interval)
