"""Five points that no threshold separates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.datasets._points import points

from harness import Data, Dataset, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class FivePoints(Dataset):
    """-6, -5, -4, 0 and 2 with the labels 0, 1, 1, 0, 1 (Karpukhin et al., 2022): at best 4 of 5 are right.

    Only a threshold in (-6, -5) gets there; one above 0 and below 2 is right for 3. The table is the whole problem: the
    five points are the training, the validation and the test part.
    """

    def load(self, generator: Generator) -> Data:
        """Nothing is drawn."""
        return points((-6.0, -5.0, -4.0, 0.0, 2.0), (0, 1, 1, 0, 1))


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [FivePoints]
