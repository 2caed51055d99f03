"""From a run's records to what can be said about them. Importing this loads neither numpy nor scipy."""

from __future__ import annotations

from typing import Any

from harness.analysis.pairing import Partner, partners
from harness.statistics.feasible import verdict_possible

__all__ = ["Partner", "analyse", "partners", "verdict_possible"]


def analyse(run: dict[str, Any]) -> dict[str, Any]:
    """The Result JSON of a run: cells with intervals, verdicts against the baseline, marks, the answer, warnings.

    `run` holds "suite", "question", "run", "protocol", "environment", "measure", "baseline", "within", "axes",
    "contenders", "margin", "interval", "warnings" and "cells"; it may hold "gates", and "unpaired", the metrics whose
    values no seed pairs. Raises BenchError where the baseline names no row or several rows of one problem.
    """
    from harness.analysis.result import result

    return result(run)
