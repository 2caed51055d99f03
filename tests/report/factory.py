"""Runs as they are stored, small and under full control; and how a test changes a part of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.results import (
    Comparison,
    IntervalKind,
    Issue,
    IssueKind,
    MetricInfo,
    MetricValue,
    Needed,
    Rank,
    Reason,
    ReasonKind,
    Row,
    Run,
    Status,
    Verdict,
)

LONG = "exact(temperature=geometric(10.0, 0.01), margin=1.0, aggregate=meanlog)"
LOSSES = ("cross_entropy", "hinge", LONG, "nll(transform=gaussian)", "focal")
PROBLEMS = ("digits", "digits(label_noise=0.1)")
METRICS = ("accuracy", "nll", "ece")
VERDICTS = (Verdict.WORSE, Verdict.BETTER, Verdict.EQUIVALENT, Verdict.UNDECIDED)
RANKS = (Rank.TIED, Rank.BEATEN, Rank.BEST, Rank.BEATEN, Rank.TIED)
EDGE = "the tuned lr is the largest that was tried (0.1) for hinge: widen the grid"
"""The issue of every run made here, in words."""


def mean_of(problem: int, loss: int, metric: int) -> float:
    """A mean with four decimals, different for every entry."""
    return round(0.5 + 0.1 * metric + 0.01 * problem + 0.0013 * loss, 4)


def half_of(metric: int) -> float:
    """A half-width whose second significant digit is the fourth decimal."""
    return 0.0021 + 0.0003 * metric


def difference_of(problem: int, loss: int) -> float:
    """A difference with four decimals, some negative."""
    return round((0.0137 + 0.0011 * problem) * (1 - 2 * (loss % 2)) * (1 + loss), 4)


def metric_value(problem: int, loss: int, metric: int) -> MetricValue:
    """One of a row's metrics."""
    mean, half = mean_of(problem, loss, metric), half_of(metric)
    ends: dict[str, Any] = {"values": (mean - half, mean + half), "mean": mean, "low": mean - half, "high": mean + half}
    return MetricValue(**ends, interval=IntervalKind.BOTH, higher_is_better=metric == 0, unit=None)


def comparison(problem: int, loss: int) -> Comparison:
    """One of a row's comparisons; the last contender is undecided."""
    difference, verdict = difference_of(problem, loss), VERDICTS[(loss - 1) % 4]
    needed = Needed(40 + problem, None) if verdict is Verdict.UNDECIDED else Needed(0, 0)
    ends: dict[str, Any] = {"difference": difference, "low": difference - 0.0017, "high": difference + 0.0017}
    test: dict[str, Any] = {"p": 0.004, "p_holm": 0.016 * loss, "family": 8, "verdict": verdict, "needed": needed}
    return Comparison(baseline=LOSSES[0], **ends, interval=IntervalKind.BOTH, **test)


def row(problem: int, loss: int, metrics: Sequence[str], label: str | None = None) -> Row:
    """One measured row."""
    vary = {"dataset": PROBLEMS[problem], "loss": label or LOSSES[loss], "model": "mlp"}
    return Row(
        id=f"{problem}{loss}",
        vary={**vary},
        parameters={kind: {"name": kind} for kind in vary},
        tuned={"lr": 0.1},
        seconds=3.0,
        peak_memory=1,
        seeds=(0, 1),
        metrics={name: metric_value(problem, loss, number) for number, name in enumerate(metrics)},
        against={name: comparison(problem, loss) for name in metrics} if loss else {},
        best=dict.fromkeys(metrics, RANKS[loss % 5]),
    )


def result(metrics: Sequence[str] = METRICS, losses: Sequence[str] = LOSSES, count: int = 2) -> Run:
    """A run of `count` problems; the first loss is the baseline."""
    return Run(
        suite="losses-on-digits",
        question="Does any loss beat cross-entropy?",
        run="r1",
        protocol="accuracy",
        environment={"torch": "2.13.0", "device": "cpu"},
        metrics=tuple(MetricInfo(label=name, higher_is_better=not number) for number, name in enumerate(metrics)),
        axes={"dataset": [*PROBLEMS[:count]], "loss": [*losses], "model": ["mlp"]},
        contenders=("loss",),
        baseline=losses[0],
        cells=tuple(row(p, i, metrics, label) for p in range(count) for i, label in enumerate(losses)),
        notices=(Issue(IssueKind.TUNING_EDGE, name="lr", rows=("hinge",), side="largest", value=0.1),),
    )


def without(cell: Row, status: Status, text: str | None) -> Row:
    """The row as it is stored when it did not finish."""
    why = None if text is None else Reason(ReasonKind.SAID, text=text)
    return replace(cell, metrics={}, against={}, best={}, tuned={}, seeds=(), seconds=None, status=status, why=why)


def lost(run: Run, place: int, status: Status, text: str | None) -> Run:
    """The run with a row that did not finish."""
    return on_rows(run, lambda cell: without(cell, status, text), place)


def on_rows(run: Run, change: Callable[[Row], Row], *places: int) -> Run:
    """The run with some rows changed, all of them by default."""
    cells = [change(cell) if not places or place in places else cell for place, cell in enumerate(run.cells)]
    return replace(run, cells=tuple(cells))


def with_metric(cell: Row, name: str, **changed: Any) -> Row:
    """The row with one of its metrics changed."""
    return replace(cell, metrics={**cell.metrics, name: replace(cell.metrics[name], **changed)})


def with_comparison(cell: Row, name: str, **changed: Any) -> Row:
    """The row with one of its comparisons changed."""
    return replace(cell, against={**cell.against, name: replace(cell.against[name], **changed)})


def with_info(run: Run, place: int, **changed: Any) -> Run:
    """The run with what a report says of one of its metrics changed."""
    metrics = [replace(each, **changed) if k == place else each for k, each in enumerate(run.metrics)]
    return replace(run, metrics=tuple(metrics))
