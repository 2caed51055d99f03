"""Dry run of a suite: its cells, the stored results, the estimated time, and comparisons that cannot be decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.commands.validate import undecidable
from harness.report.words import together
from harness.results.store import Store
from harness.run.context import ExecutionConfig
from harness.run.load import LoadedSuite, labels_of
from harness.run.pipeline import planned
from harness.run.plan import seconds_per_seed
from harness.run.trust import needs_trust


def dry_run(prepared: LoadedSuite, conditions: ExecutionConfig, notes: Sequence[str] = ()) -> str:
    """Return the dry run: every cell with its stored seeds, then the totals and the notes on tables."""
    tasks = planned(prepared, conditions).tasks
    lines = [prepared.suite.name]
    states: Counter[str] = Counter()
    for task, cell in zip(tasks, prepared.cells, strict=True):
        stored = len(task.wanted) - len(task.missing)
        state = (
            "reused" if not task.missing else "to do" if not stored else f"{stored} stored, {len(task.missing)} to do"
        )
        states["reused" if not task.missing else "to do"] += 1
        why = f" ({together(task.changed)} changed)" if task.changed else ""
        lines.append(f"  {labels_of(cell)}: {state}{why}")
    missing = sum(len(task.missing) for task in tasks)
    lines.append(f"{states['to do']} cells to do, {states['reused']} reused; {missing} seeds to measure")
    stored_before = Store(conditions.results, "").all()
    cost = seconds_per_seed(r for r in stored_before if r["protocol"]["name"] == prepared.suite.protocol)
    if missing:
        lines.append(f"about {cost * missing:.3g} s" if cost else "time unknown: nothing is stored yet")
    verdict = undecidable(prepared)
    trust = [] if conditions.trust else [sentence for _, sentence in needs_trust(prepared)]
    said = [*trust, *notes, *([verdict] if verdict else [])]
    return "\n".join([*lines, *(f"note: {note}" for note in said)])
