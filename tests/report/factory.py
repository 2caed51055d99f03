"""Result dicts as a run would store them, small and under full control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LONG = "exact(temperature=geometric(10.0, 0.01), margin=1.0, aggregate=meanlog)"
LOSSES = ("cross_entropy", "hinge", LONG, "nll(transform=gaussian)", "focal")
PROBLEMS = ("digits", "digits(label_noise=0.1)")
METRICS = ("accuracy", "nll", "ece")
VERDICTS = ("worse", "better", "same", "undecided")


def mean_of(problem: int, loss: int, metric: int) -> float:
    """A mean with four decimals, different for every entry."""
    return round(0.5 + 0.1 * metric + 0.01 * problem + 0.0013 * loss, 4)


def half_of(metric: int) -> float:
    """A half-width whose second significant digit is the fourth decimal."""
    return 0.0021 + 0.0003 * metric


def difference_of(problem: int, loss: int) -> float:
    """A difference with four decimals, some negative."""
    return round((0.0137 + 0.0011 * problem) * (1 - 2 * (loss % 2)) * (1 + loss), 4)


def metric_entry(problem: int, loss: int, metric: int) -> dict[str, Any]:
    """One entry of a cell's "metrics"."""
    mean, half = mean_of(problem, loss, metric), half_of(metric)
    better = "higher" if metric == 0 else "lower"
    numbers = {"values": [mean - half, mean + half], "mean": mean, "low": mean - half, "high": mean + half}
    return {**numbers, "interval": "both", "better": better, "unit": None, "reason": None}


def against_entry(problem: int, loss: int) -> dict[str, Any]:
    """One entry of a cell's "against"; the last contender is undecided."""
    difference, verdict = difference_of(problem, loss), VERDICTS[(loss - 1) % 4]
    needed = {"seeds": 40 + problem, "examples": None} if verdict == "undecided" else {"seeds": 0, "examples": 0}
    interval = {"difference": difference, "low": difference - 0.0017, "high": difference + 0.0017}
    test = {"p": 0.004, "p_holm": 0.016 * loss, "family": 8, "verdict": verdict, "needed": needed, "reason": None}
    return {"baseline": LOSSES[0], **interval, **test}


def cell(problem: int, loss: int, metrics: Sequence[str], label: str | None = None) -> dict[str, Any]:
    """One measured cell."""
    label = label or LOSSES[loss]
    vary = {"dataset": PROBLEMS[problem], "loss": label, "model": "mlp"}
    return {
        **{"id": f"{problem}{loss}", "vary": vary, "parameters": {kind: {"name": kind} for kind in vary}},
        **{"tuned": {"lr": 0.1}, "status": "ok", "reason": None, "seconds": 3.0, "peak_bytes": 1, "seeds": [0, 1]},
        "metrics": {name: metric_entry(problem, loss, number) for number, name in enumerate(metrics)},
        "against": {name: against_entry(problem, loss) for name in metrics} if loss else {},
        "best": dict.fromkeys(metrics, ("tied", "beaten", "best", "beaten", "tied")[loss % 5]),
        "notes": [],
    }


def result(metrics: Sequence[str] = METRICS, losses: Sequence[str] = LOSSES, count: int = 2) -> dict[str, Any]:
    """A result of `count` problems; the first loss is the baseline."""
    cells = [cell(p, i, metrics, label) for p in range(count) for i, label in enumerate(losses)]
    measure = [
        {"label": name, "better": "lower" if number else "higher", "unit": None} for number, name in enumerate(metrics)
    ]
    return {
        **{"schema": 1, "suite": "losses-on-digits", "question": "Does any loss beat cross-entropy?", "run": "r1"},
        **{"protocol": "accuracy", "exit": 0, "environment": {"torch": "2.13.0", "device": "cpu"}, "measure": measure},
        "axes": {"dataset": list(PROBLEMS[:count]), "loss": list(losses), "model": ["mlp"]},
        **{"contenders": ["loss"], "within": None, "baseline": losses[0], "interval": "both", "cells": cells},
        **{"answer": "The long one beats cross_entropy.", "warnings": ["the lr of hinge is at the edge of its grid"]},
    }


def without(cell: dict[str, Any], status: str, reason: str | None) -> dict[str, Any]:
    """The cell as it is stored when it did not finish."""
    lost: dict[str, Any] = {"metrics": {}, "against": {}, "best": {}, "tuned": {}, "seeds": [], "seconds": None}
    return {**cell, **lost, "status": status, "reason": reason}
