"""Intervals as bars on one scale for each problem, as positions in a small picture."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.number_format import Estimate, number

WIDTH, MARGIN = 152, 7
"""Width of a bar's picture in pixels, and the part of it at either end that only arrows and labels use."""
FAR = 2.5
"""An interval that reaches this many times as far as the median one is cut, so that the others can be read."""
TINY, HUGE = 1e-300, 1e300
"""Widths between which a scale can be computed with."""


@dataclass(frozen=True)
class Bar:
    """Positions of the ends and the center of an interval; `before` and `after`: it goes on beyond the picture."""

    low: float
    mean: float
    high: float
    before: bool = False
    after: bool = False


@dataclass(frozen=True)
class Tick:
    """A labeled position of a scale."""

    place: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Scale of a problem's intervals between two numbers; `origin` means no difference, None for no such number."""

    low: float
    high: float
    origin: float | None
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the position of a number, in pixels from the left."""
        low, high, at = (math.log(each) if self.logarithmic else each for each in (self.low, self.high, value))
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (at - low) / (high - low), 1)

    @property
    def zero(self) -> float | None:
        """Position of the origin."""
        return None if self.origin is None else self.place(self.origin)

    def bar(self, found: Estimate | None) -> Bar | None:
        """Return the bar of an estimate; None without an interval."""
        if found is None or found.low is None or found.high is None:
            return None
        ends = (found.low, found.mean, found.high)
        low, mean, high = (self.place(min(max(each, self.low), self.high)) for each in ends)
        return Bar(low, mean, high, found.low < self.low, found.high > self.high)

    @property
    def ticks(self) -> list[Tick]:
        """Labels at two or three round numbers."""
        if self.logarithmic:
            sign = "" if self.origin is None else "×"
            known = [each for each in (self.low, self.origin, self.high) if each is not None]
            return _apart([Tick(self.place(each), f"{sign}{each:.2g}") for each in known])
        step = _step((self.high - self.low) / 2)
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        found = [place * step for place in range(first, math.floor(self.high / step + 1e-9) + 1)]
        return _apart([Tick(self.place(each), number(each + 0.0, places, signed=False)) for each in found])


def scale(found: Sequence[Estimate | None], origin: float | None, logarithmic: bool = False) -> Scale | None:
    """Return the scale of some intervals around `origin`; None if there is nothing to draw."""
    pairs = [(each.low, each.high) for each in found if each is not None]
    ends = [(low, high) for low, high in pairs if low is not None and high is not None]
    ends = [pair for pair in ends if all(map(math.isfinite, pair))]
    logarithmic = logarithmic and all(low > 0 for low, _ in ends)
    low, high = min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=0.0)
    if origin is not None and ends:
        far = _reach(ends, origin, logarithmic)
        low, high = min(origin, max(low, far[0])), max(origin, min(high, far[1]))
    return Scale(low, high, origin, logarithmic) if TINY < high - low < HUGE else None


def _reach(ends: Sequence[tuple[float, float]], origin: float, logarithmic: bool) -> tuple[float, float]:
    """Return the numbers beyond which intervals are cut."""
    shift = math.log if logarithmic else float
    sizes = [max(abs(shift(low) - shift(origin)), abs(shift(high) - shift(origin))) for low, high in ends]
    far = FAR * statistics.median(sizes) or max(sizes)
    far = min(far, 300.0) if logarithmic else far  # beyond no float has its exponential
    return (origin / math.exp(far), origin * math.exp(far)) if logarithmic else (origin - far, origin + far)


def _step(size: float) -> float:
    """Return the largest 1, 2 or 5 times a power of ten that is no larger."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in (5, 2, 1) if step * power <= size * (1 + 1e-9))


def _apart(ticks: Sequence[Tick]) -> list[Tick]:
    """Leave out labels that would touch the one before."""
    kept: list[Tick] = []
    for each in ticks:
        if not kept or each.place - kept[-1].place > 4 * (len(each.text) + len(kept[-1].text)):
            kept.append(each)
    return kept
