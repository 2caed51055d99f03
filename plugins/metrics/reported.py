"""A number that a program reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness import BenchError, Metric, hookimpl, near_miss

if TYPE_CHECKING:
    from torch import Tensor


class Reported(Metric):
    """Number under a key of what a program reports.

    For the trainer `command`: `{reported: {key: val_acc}, as: accuracy}` reads `{"val_acc": 0.97}`. `higher_is_better`
    is the direction, null for a number that only describes; `unit` is shown in tables. Where the program reports a
    value for each example too, the number is their mean, and the intervals cover other examples. A reported NaN is a
    seed without a value: the others are compared, and the row is marked.
    """

    key: str
    higher_is_better: bool | None = True  # type: ignore[misc]  # a field here
    unit: str | None = None  # type: ignore[misc]

    def __call__(
        self, outcome: Mapping[str, object], outcome_per_example: Mapping[str, Tensor] | None = None
    ) -> float | Tensor:
        if self.key not in outcome:
            raise BenchError(f"the program reported no {self.key!r}{_there(self.key, outcome)}")
        value = outcome[self.key]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            shown = json.dumps(value, default=str)[:60]
            raise BenchError(f"the program reported {self.key}: {shown}, expected a number{_there('', outcome)}")
        if outcome_per_example and self.key in outcome_per_example:
            return outcome_per_example[self.key]
        return float(value)


def _there(key: str, outcome: Mapping[str, object]) -> str:
    """Return the keys that are there, after the nearest one."""
    near = near_miss(key, outcome)
    keys = f" (reported: {', '.join(sorted(outcome))})" if outcome else " (reported: nothing)"
    return f"{near.suggestion}{keys}"


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [Reported]
