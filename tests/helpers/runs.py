"""Made-up runs, small and under full control, as the analysis reads them: one metric `m`, one row a loss and data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.results import GateRule, Label, MeasuredRow, MeasuredRun, MetricInfo, Reason, ReasonKind, Status

Values = Sequence[float | None]


def row(loss: str, values: Values, dataset: str = "digits", **more: Any) -> MeasuredRow:
    """A row with the values of `m` from seed 0 on; `more` are other fields of it, or `metrics` in place of `m`."""
    metrics: Mapping[str, Values] = more.pop("metrics", {"m": values})
    found = MeasuredRow(
        id=f"{loss}-{dataset}",
        vary={"dataset": dataset, "loss": loss},
        seconds=1.0,
        peak_memory=1,
        seeds=tuple(range(len(values))),
        values={name: tuple(map(_plain, numbers)) for name, numbers in metrics.items()},
    )
    return replace(found, **more)


def lost(loss: str, status: Status, text: str, dataset: str = "digits") -> MeasuredRow:
    """A row without a value, and why."""
    return row(loss, [], dataset, metrics={}, status=status, why=Reason(ReasonKind.SAID, text=text))


def run(
    rows: Sequence[MeasuredRow], gates: Sequence[GateRule] = (), higher_is_better: bool = True, **more: Any
) -> MeasuredRun:
    """The rows as a run in which losses compete with the baseline `old`; `more` are other fields of it."""
    axes: dict[str, list[Label]] = {
        axis: list(dict.fromkeys(each.vary[axis] for each in rows)) for axis in ("dataset", "loss")
    }
    found = MeasuredRun(
        suite="s",
        question="?",
        run="r",
        protocol="accuracy",
        metrics=(MetricInfo(label="m", higher_is_better=higher_is_better),),
        axes=axes,
        contenders=("loss",),
        baseline="old",
        interval="seeds",
        cells=tuple(rows),
        gates=tuple(gates),
    )
    return replace(found, **more)


def _plain(value: float | None) -> float | None:
    """Python's own number of numpy's."""
    return None if value is None else float(value)
