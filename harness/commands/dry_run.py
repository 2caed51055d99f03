"""Dry run of a suite: its cells, the stored results, the estimated time, and comparisons that cannot be decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from harness.commands.validate import undecidable
from harness.report.words import counted, part, together
from harness.run.context import ExecutionConfig
from harness.run.load import LoadedSuite, labels_of
from harness.run.pipeline import planned
from harness.run.task import Plan
from harness.run.trust import needs_trust


def dry_run(prepared: LoadedSuite, conditions: ExecutionConfig, notes: Sequence[str] = ()) -> str:
    """Return the dry run: every cell with its stored seeds, then the totals and the notes on tables."""
    plan = planned(prepared, conditions)
    tasks = plan.tasks
    lines = [prepared.suite.name, *part(prepared.shard)]
    states: Counter[str] = Counter()
    missing = [len(task.missing) for task in tasks]
    for task, cell, left in zip(tasks, prepared.cells, missing, strict=True):
        stored = len(task.wanted) - left
        state = "reused" if not left else "to do" if not stored else f"{stored} stored, {left} to do"
        states["reused" if not left else "to do"] += 1
        why = f" ({together(task.changed)} changed)" if task.changed else ""
        lines.append(f"  {labels_of(cell)}: {state}{why}")
    lines.append(f"{states['to do']} cells to do, {states['reused']} reused; {sum(missing)} seeds to measure")
    if any(missing):
        lines.append(_estimate(plan, conditions.timeout))
    verdict = undecidable(prepared)
    trust = [] if conditions.trust else [sentence for _, sentence in needs_trust(prepared)]
    said = [*trust, *notes, *([verdict] if verdict else [])]
    return "\n".join([*lines, *(f"note: {note}" for note in said)])


def _estimate(plan: Plan, timeout: float) -> str:
    """Describe the time of what is missing; a row that ran out of time is counted with the whole time allowed."""
    late = sum(bool(task.missing) and task.timed_out for task in plan.tasks)
    seeds = sum(len(task.missing) for task in plan.tasks if not task.timed_out)
    if seeds and not plan.costs:
        return "time unknown: nothing is stored yet"
    seconds = late * timeout + (fmean(plan.costs) * seeds if seeds else 0.0)
    again = f" ({counted(late, 'row')} timed out before: {timeout:g} s each)" if late else ""
    return f"about {seconds:.3g} s{again}"
