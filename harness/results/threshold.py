"""Decisions on a threshold across seeds that were measured one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LEAST, SHARE = 8, 0.9
"""Number of seeds that test an example, and the share of them at which it has to be on the threshold."""


@dataclass(frozen=True)
class NearThreshold:
    """Decisions of one seed that a metric judges: the `numbers` of all, of those near the threshold, of the right ones.

    `reach` is the change of the metric if all near ones were decided otherwise; None for a mean over decisions, of
    which each changes it by its share.
    """

    numbers: Sequence[int]
    close: Sequence[int]
    right: Sequence[int]
    reach: float | None = None


def shares(seeds: Sequence[NearThreshold]) -> list[float]:
    """Return by how much decisions on the threshold may change the metric at each seed.

    A decision is on it if it is near at nearly every seed that has it, and right at some of these but not at all.
    """
    count = Counter(number for seed in seeds for number in seed.numbers)
    close = Counter(number for seed in seeds for number in seed.close)
    right = Counter(number for seed in seeds for number in seed.right)
    tied = {
        number
        for number, times in close.items()
        if count[number] >= LEAST and times >= SHARE * count[number] and 0 < right[number] < times
    }
    return [_share(seed, tied.intersection(seed.numbers)) for seed in seeds]


def _share(seed: NearThreshold, tied: set[int]) -> float:
    return len(tied) / len(seed.numbers) if seed.reach is None else seed.reach * bool(tied)
