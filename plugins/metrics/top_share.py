"""Share of neighbor occurrences that go to the most frequent neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, UnitInterval, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class TopShare(Metric):
    """Share of neighbor occurrences that go to the `richest` share of points.

    A point of the Lorenz curve (Lorenz, 1905): with 0.2 the share held by the fifth of the points with the largest N_k.
    Lower is better; `richest` itself where all have as many. counts [n] -> scalar in [0, 1]. A point that falls only in
    part among the richest counts in part. Not heavy-tailed, unlike skewness.
    """

    richest: UnitInterval = 0.2
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, counts: Tensor) -> float:
        x = counts.double().sort(descending=True).values
        exact = self.richest * len(x)
        whole = min(int(exact), len(x) - 1)
        return float((x[:whole].sum() + (exact - whole) * x[whole]) / x.sum())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [TopShare]
