"""Numbers that change during training: learned with the model, or scheduled over progress in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, SupportsFloat


class Dynamic:
    """A number that changes during training: learned with the model or scheduled over progress in [0, 1]."""

    word: ClassVar[str]

    def data(self) -> dict[str, float | list[float]]:
        """Return the form a suite writes, for example `{"geometric": [10.0, 0.01]}`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Learned(Dynamic):
    """A number trained with the model from the value `start`; a change of variable keeps it in the field's range."""

    start: float
    word: ClassVar[str] = "learn"

    def data(self) -> dict[str, float | list[float]]:
        return {self.word: self.start}


@dataclass(frozen=True)
class GeometricSchedule(Dynamic):
    """A schedule from `first` to `last` with equal ratios."""

    first: float
    last: float
    word: ClassVar[str] = "geometric"

    def data(self) -> dict[str, float | list[float]]:
        return {self.word: [self.first, self.last]}

    def at(self, progress: float) -> float:
        """Return the value at a progress in [0, 1]."""
        return self.last if progress >= 1 else float(self.first * (self.last / self.first) ** progress)


@dataclass(frozen=True)
class LinearSchedule(Dynamic):
    """A schedule from `first` to `last` with equal steps."""

    first: float
    last: float
    word: ClassVar[str] = "linear"

    def data(self) -> dict[str, float | list[float]]:
        return {self.word: [self.first, self.last]}

    def at(self, progress: float) -> float:
        """Return the value at a progress in [0, 1]."""
        return self.last if progress >= 1 else self.first + (self.last - self.first) * progress


DYNAMIC = ("learn", "geometric", "linear")


def dynamic(value: Mapping[str, object]) -> Dynamic:
    """Parse `{"learn": x}`, `{"geometric": [a, b]}` or `{"linear": [a, b]}`.

    Raises TypeError or ValueError for values that are not numbers.
    """
    word, said = next(iter(value.items()))
    if word == "learn":
        return Learned(_number(said))
    if not isinstance(said, Iterable):
        raise TypeError(f"{said!r} is no pair of numbers")
    first, last = (_number(each) for each in said)
    return GeometricSchedule(first, last) if word == "geometric" else LinearSchedule(first, last)


def _number(value: object) -> float:
    if isinstance(value, (str, SupportsFloat)):
        return float(value)
    raise TypeError(f"{value!r} is no number")
