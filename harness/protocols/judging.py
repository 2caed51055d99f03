"""One loop over metrics for every protocol: what each asks for, what it answers, what it has to say instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from harness.conformance import contract
from harness.errors import Skip
from harness.inputs import gathered
from harness.kinds import Metric

T = TypeVar("T")


def judged(
    metrics: Mapping[str, Metric], source: object, names: Sequence[str]
) -> tuple[dict[str, list[float] | None], dict[str, str]]:
    """Label -> [the value] of one seed, None where a metric does not apply; label -> why those that raised Skip do not.

    A metric is given those of the attributes `names` of `source` that it asks for, optional ones too. Raises BenchError
    for an answer that is not one number, and for a metric that changes what it is given.
    """
    values: dict[str, list[float] | None] = {}
    skipped: dict[str, str] = {}
    for label, metric in metrics.items():
        value = unless_skipped(label, skipped, partial(_number, metric, source, names))
        values[label] = None if value is None else [value]
    return values, skipped


def _number(metric: Metric, source: object, names: Sequence[str]) -> float | None:
    return contract.number(metric, asked(metric, source, names))


def unless_skipped(label: str, skipped: dict[str, str], judge: Callable[[], T]) -> T | None:
    """What a metric answers; where it raises Skip, None, and the reason goes to `skipped`."""
    try:
        return judge()
    except Skip as reason:
        skipped.setdefault(label, str(reason))
        return None


def asked(metric: Metric, source: object, names: Sequence[str]) -> object:
    """A metric's answer, as it comes."""
    return answered(metric, gathered(metric, source, names))


def answered(metric: Metric, given: Mapping[str, object]) -> object:
    """What a metric answers to inputs by name. Raises BenchError where it changes one of them in place."""
    kept = contract.Untouched(given)
    value = metric(**given)
    kept.check(metric)
    return value
