"""What is known of a suite that is correct: its size, and whether its seeds can decide anything."""

from __future__ import annotations

from harness.analysis import partners, verdict_possible
from harness.results import RowInfo
from harness.run.load import LoadedSuite
from harness.run.problems import asked


def summary(prepared: LoadedSuite) -> str:
    """One line a suite, and one for what its seeds can never decide."""
    suite = prepared.suite
    seeds = len(suite.seeds.seeds)
    lines = [f"{suite.file}: {len(prepared.cells)} cells x {seeds} seeds, protocol {suite.protocol}"]
    verdict = undecidable(prepared)
    return "\n".join(lines + ([f"  note: {verdict}"] if verdict else []))


def undecidable(prepared: LoadedSuite) -> str | None:
    """Why no verdict could be reached, or None. Raises BenchError for a baseline that is no row of its problem."""
    suite = prepared.suite
    links = partners(asked(suite), [RowInfo(id="", vary=cell.vary) for cell in prepared.cells]) or []
    family = sum(link.index not in (None, place) for place, link in enumerate(links))
    return verdict_possible(len(suite.seeds.seeds), family, suite.interval)
