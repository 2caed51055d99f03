"""Learned and scheduled fields of a loss: their start, and the value of each at a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from harness import GeometricSchedule, Learned, LinearSchedule, Loss, dynamic_fields, replace_fields


class Moving:
    """The fields of a loss that change during training; a learned field is trained through an unconstrained number."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        found = list(dynamic_fields(loss))
        self._learned = [
            (path, value.start, Range.of(schema)) for path, value, schema in found if isinstance(value, Learned)
        ]
        self._scheduled = [
            (path, value) for path, value, _ in found if isinstance(value, (GeometricSchedule, LinearSchedule))
        ]

    @property
    def scheduled(self) -> bool:
        """Whether a field changes on a schedule."""
        return bool(self._scheduled)

    @property
    def start(self) -> Tensor:
        """Unconstrained numbers at the first step, one for each learned field."""
        return torch.tensor([range.free(start) for _, start, range in self._learned])

    def at(self, free: Sequence[Tensor], progress: float) -> Loss:
        """The loss with this step's values; `free` is `start` after training so far."""
        if not self._learned and not self._scheduled:
            return self.loss
        values = {path: range.field(u) for (path, _, range), u in zip(self._learned, free, strict=True)}
        values |= {path: torch.tensor(schedule.at(progress)) for path, schedule in self._scheduled}
        return replace_fields(self.loss, values)

    def learned(self, free: Tensor) -> dict[str, list[float]]:
        """Values `{"transform.alpha": values}` for the report; `free` is [seeds, fields]."""
        return {
            ".".join(path): range.field(free[:, column]).tolist()
            for column, (path, _, range) in enumerate(self._learned)
        }


class Range(NamedTuple):
    """The interval of a field, and the change of variable from an unconstrained number to it.

    The unconstrained number is the field's logit between two bounds, its logarithm above a bound it must not reach, the
    inverse softplus of its distance from any other single bound, else the field itself.
    """

    low: float | None
    high: float | None
    open: bool

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Range:
        """Range of the first number in a field's schema."""
        number = next(branch for branch in schema.get("anyOf", [schema]) if branch.get("type") == "number")
        above = number.get("exclusiveMinimum")
        return cls(number.get("minimum") if above is None else above, number.get("maximum"), above is not None)

    def free(self, value: float) -> float:
        """Unconstrained number of a value; a bound itself is approached to within a millionth."""
        if self.low is not None and self.high is not None:
            share = min(max((value - self.low) / (self.high - self.low), 1e-6), 1 - 1e-6)
            return math.log(share / (1 - share))
        if self.low is None:
            return value if self.high is None else _inverse_softplus(self.high - value)
        return math.log(value - self.low) if self.open else _inverse_softplus(value - self.low)

    def field(self, free: Tensor) -> Tensor:
        """Value of an unconstrained number."""
        if self.low is None:
            return free if self.high is None else self.high - softplus(free)
        if self.high is not None:
            value = self.low + (self.high - self.low) * free.sigmoid()
        else:
            value = self.low + (_exp(free) if self.open else softplus(free))
        return value.clamp(_least(self.low, value.dtype)) if self.open else value


def _exp(free: Tensor) -> Tensor:
    """Exponential within the range of the type, so that the value and its gradient stay finite."""
    limits = torch.finfo(free.dtype)
    return free.clamp(math.log(limits.tiny), math.log(limits.max) - 1).exp()


def _inverse_softplus(distance: float) -> float:
    distance = max(distance, 1e-6)
    return distance + math.log(-math.expm1(-distance))


def _least(low: float, dtype: torch.dtype) -> float:
    """Least normal number above `low`: rounding must not put a field on a bound it excludes."""
    bound = torch.tensor([low, math.inf], dtype=dtype)
    return max(float(torch.nextafter(bound[0], bound[1])), low + torch.finfo(dtype).tiny)
