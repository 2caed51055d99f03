"""Summary of a correct suite: its size, and whether its seeds can decide anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis import partners, verdict_possible
from harness.analysis.pairing import is_control
from harness.results import RowInfo
from harness.run.load import LoadedSuite
from harness.run.problems import asked, controls
from harness.run.trust import needs_trust
from harness.suite.gates import COMPARING


def summary(prepared: LoadedSuite, notes: Sequence[str] = ()) -> str:
    """Return one line on the suite's size, the notes on its tables, and one on comparisons that are never decided."""
    suite = prepared.suite
    seeds = len(suite.seeds.seeds)
    lines = [f"{suite.file}: {len(prepared.cells)} cells x {seeds} seeds, protocol {suite.protocol}"]
    verdict = undecidable(prepared)
    lonely = suite.baseline is None and any(gate["rule"] in COMPARING for gate in suite.gates)
    gates = ["gates on differences need a baseline in the suite, or --against"] if lonely else []
    said = [*gates, *(sentence for _, sentence in needs_trust(prepared)), *notes, *([verdict] if verdict else [])]
    return "\n".join([*lines, *(f"  note: {note}" for note in said)])


def undecidable(prepared: LoadedSuite) -> str | None:
    """Return the reason why no verdict is possible, or None. Raises BenchError for a baseline that is no row.

    Comparisons are those of the whole suite, whatever is selected, without those of controls.
    """
    suite = prepared.suite
    info = replace(asked(suite), controls=controls(prepared.catalogue.table))
    rows = [RowInfo(id="", vary=cell.vary, parameters=cell.parts) for cell in (*prepared.cells, *prepared.left_out)]
    links = partners(info, rows) or []
    family = sum(
        link.index not in (None, place) and not is_control(info, rows[place]) for place, link in enumerate(links)
    )
    return verdict_possible(len(suite.seeds.seeds), family, suite.interval)
