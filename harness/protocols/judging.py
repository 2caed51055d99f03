"""Evaluation of metrics for every protocol: the inputs requested, the values, and the reasons for missing values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from harness.conformance import contract
from harness.discovery.sources import is_installed, stock_folder
from harness.errors import Skip
from harness.inputs import gathered
from harness.kinds import Metric

T = TypeVar("T")


def judged(
    metrics: Mapping[str, Metric], source: object, names: Sequence[str]
) -> tuple[dict[str, list[float] | None], dict[str, str]]:
    """Return label -> [the value] of one seed, None if a metric does not apply; and label -> reason of those that skip.

    A metric receives those of the attributes `names` of `source` that it requests, optional ones too. Raises BenchError
    for a value that is not one number, and for a metric that changes its inputs.
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
    """Return a metric's value, or None if it raises Skip, whose reason is added to `skipped`.

    So is the text of a `warnings.warn` of the metric itself; warnings of installed libraries are ignored.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return judge()
        except Skip as reason:
            skipped.setdefault(label, str(reason))
            return None
        finally:
            for each in caught:
                if each.category is UserWarning and _is_own(Path(each.filename)):
                    skipped.setdefault(label, str(each.message))


def _is_own(file: Path) -> bool:
    """Return whether a file is a plugin's, and not an installed library's."""
    return file.is_relative_to(stock_folder()) or not is_installed(file)


def asked(metric: Metric, source: object, names: Sequence[str]) -> object:
    """Return a metric's value without checking its shape."""
    return answered(metric, gathered(metric, source, names))


def answered(metric: Metric, given: Mapping[str, object]) -> object:
    """Call a metric with inputs by name and return its value. Raises BenchError if it changes an input in place."""
    kept = contract.Untouched(given)
    value = metric(**given)
    kept.check(metric)
    return value
