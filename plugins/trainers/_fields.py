"""Learned and scheduled fields of a loss: where they start, and the value of each at a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from harness import Geometric, Learn, Linear, Loss, dynamic_fields, with_values


class Moving:
    """The fields of a loss that change during training; a learned field is trained through a free number."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        found = list(dynamic_fields(loss))
        self._learned = [
            (path, value.start, Range.of(schema)) for path, value, schema in found if isinstance(value, Learn)
        ]
        self._scheduled = [(path, value) for path, value, _ in found if isinstance(value, (Geometric, Linear))]

    @property
    def start(self) -> Tensor:
        """The free numbers at the first step, one for each learned field."""
        return torch.tensor([range.free(start) for _, start, range in self._learned])

    def at(self, free: Sequence[Tensor], progress: float) -> Loss:
        """The loss with this step's values; `free` is what `start` was, trained so far."""
        values = {path: range.field(u) for (path, _, range), u in zip(self._learned, free, strict=True)}
        values |= {path: torch.tensor(schedule.at(progress)) for path, schedule in self._scheduled}
        return with_values(self.loss, values) if values else self.loss

    def learned(self, free: Tensor) -> dict[str, list[float]]:
        """`{"transform.alpha": values}` for the report; `free` is [seeds, fields]."""
        return {
            ".".join(path): range.field(free[:, column]).tolist()
            for column, (path, _, range) in enumerate(self._learned)
        }


class Range(NamedTuple):
    """The numbers a field may hold, and the change of variable that keeps a free number's field among them.

    The free number is the field's logit between two bounds, its logarithm above a bound it must not reach, the inverse
    softplus of its distance from any other single bound, else the field itself.
    """

    low: float | None
    high: float | None
    open: bool

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> Range:
        """The range of the first number in a field's schema."""
        number = next(branch for branch in schema.get("anyOf", [schema]) if branch.get("type") == "number")
        above = number.get("exclusiveMinimum")
        return cls(number.get("minimum") if above is None else above, number.get("maximum"), above is not None)

    def free(self, value: float) -> float:
        """The free number of a value; a bound itself is approached to within a millionth."""
        if self.low is not None and self.high is not None:
            share = min(max((value - self.low) / (self.high - self.low), 1e-6), 1 - 1e-6)
            return math.log(share / (1 - share))
        if self.low is None:
            return value if self.high is None else _inverse_softplus(self.high - value)
        return math.log(value - self.low) if self.open else _inverse_softplus(value - self.low)

    def field(self, free: Tensor) -> Tensor:
        """The value of a free number."""
        if self.low is None:
            return free if self.high is None else self.high - softplus(free)
        if self.high is not None:
            value = self.low + (self.high - self.low) * free.sigmoid()
        else:
            value = self.low + (_exp(free) if self.open else softplus(free))
        return value.clamp(_least(self.low, value.dtype)) if self.open else value


def _exp(free: Tensor) -> Tensor:
    """exp within what the type can hold: beyond, neither the value nor its gradient would be a number."""
    limits = torch.finfo(free.dtype)
    return free.clamp(math.log(limits.tiny), math.log(limits.max) - 1).exp()


def _inverse_softplus(distance: float) -> float:
    distance = max(distance, 1e-6)
    return distance + math.log(-math.expm1(-distance))


def _least(low: float, dtype: torch.dtype) -> float:
    """The least normal number above `low`: rounding must not put a field on a bound it excludes."""
    bound = torch.tensor([low, math.inf], dtype=dtype)
    return max(float(torch.nextafter(bound[0], bound[1])), low + torch.finfo(dtype).tiny)
