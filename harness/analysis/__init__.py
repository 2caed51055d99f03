"""Statistical analysis of a run's measured rows. Importing this package loads neither numpy nor scipy."""

from __future__ import annotations

from harness.analysis.pairing import Partner, partners
from harness.results import MeasuredRun, Run
from harness.statistics.feasible import verdict_possible

__all__ = ["Partner", "analyse", "partners", "verdict_possible"]


def analyse(run: MeasuredRun) -> Run:
    """Return a measured run with its statistics: intervals, verdicts, ranks, gates, claims, issues.

    Raises BenchError if the baseline matches no row or several rows of one problem.
    """
    from harness.analysis.result import result

    return result(run)
