"""From a run's measured rows to what can be said about them. Importing this loads neither numpy nor scipy."""

from __future__ import annotations

from harness.analysis.pairing import Partner, partners
from harness.results import MeasuredRun, Run
from harness.statistics.feasible import verdict_possible

__all__ = ["Partner", "analyse", "partners", "verdict_possible"]


def analyse(run: MeasuredRun) -> Run:
    """A measured run with its statistics: intervals, verdicts against the baseline, ranks, gates, claims, issues.

    Raises BenchError where the baseline names no row or several rows of one problem.
    """
    from harness.analysis.result import result

    return result(run)
