"""Numbers that change during training: learned with the model, or scheduled over progress in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


class Dynamic:
    """A number that changes during training: learned with the model or scheduled over progress in [0, 1]."""

    word: ClassVar[str]

    def data(self) -> dict[str, Any]:
        """The form a suite writes, for example `{"geometric": [10.0, 0.01]}`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Learn(Dynamic):
    """Starts at `start` and is trained with the model; the field's range is kept by a change of variable."""

    start: float
    word: ClassVar[str] = "learn"

    def data(self) -> dict[str, Any]:
        return {self.word: self.start}


@dataclass(frozen=True)
class Geometric(Dynamic):
    """Goes from `first` to `last` by equal ratios."""

    first: float
    last: float
    word: ClassVar[str] = "geometric"

    def data(self) -> dict[str, Any]:
        return {self.word: [self.first, self.last]}

    def at(self, progress: float) -> float:
        """The value at a progress in [0, 1]."""
        return self.last if progress >= 1 else float(self.first * (self.last / self.first) ** progress)


@dataclass(frozen=True)
class Linear(Dynamic):
    """Goes from `first` to `last` by equal steps."""

    first: float
    last: float
    word: ClassVar[str] = "linear"

    def data(self) -> dict[str, Any]:
        return {self.word: [self.first, self.last]}

    def at(self, progress: float) -> float:
        """The value at a progress in [0, 1]."""
        return self.last if progress >= 1 else self.first + (self.last - self.first) * progress


DYNAMIC = ("learn", "geometric", "linear")


def dynamic(value: Mapping[str, Any]) -> Dynamic:
    """`{"learn": x}`, `{"geometric": [a, b]}` or `{"linear": [a, b]}` as a value."""
    word, numbers = next(iter(value.items()))
    if word == "learn":
        return Learn(float(numbers))
    first, last = (float(n) for n in numbers)
    return Geometric(first, last) if word == "geometric" else Linear(first, last)
