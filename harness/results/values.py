"""Small parts of a result: labels, values as records store them, intervals, ratios, blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.results.statements import StopReason

Label = str | int | float | bool | None
"""Name of a point of an axis."""
Labels = Mapping[str, Label]
"""Axis -> label: the place of a row in the grid."""
Number = float | Literal["inf", "-inf"] | None
"""A measured number as records store it, since JSON has no infinity; None for NaN. See `codec.stored`."""


@dataclass(frozen=True)
class Bootstrap:
    """Ends of the interval within each seed, in the order of the seeds."""

    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True)
class Needed:
    """Number of further seeds, or of further test examples, that would decide; None if no number does."""

    seeds: int | None
    examples: int | None


@dataclass(frozen=True)
class Ratio:
    """Ratio to the baseline with its interval."""

    ratio: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Blocks:
    """Course of an interleaved measurement: blocks that count, warm-up blocks before them, and the reason for its end.

    `bound` is the budget in seconds, or the half-width reached by every ratio, if the measurement ended for that.
    """

    count: int
    warm: int
    stop: StopReason
    bound: float | None = None
