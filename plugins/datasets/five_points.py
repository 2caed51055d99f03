"""Five points that no threshold separates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dataset, Examples, hookimpl

from ._points import points

if TYPE_CHECKING:
    from torch import Generator


class FivePoints(Dataset):
    """Five points that no threshold separates (Karpukhin et al., 2022).

    -6, -5, -4, 0 and 2 with the labels 0, 1, 1, 0, 1: at best 4 of 5 are right. Only a threshold in (-6, -5) achieves
    that; one above 0 and below 2 is right for 3. The table is the whole problem: the five points are the training, the
    validation and the test part.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    def load(self, generator: Generator) -> Examples:
        """The fixed table; nothing is drawn."""
        return points((-6.0, -5.0, -4.0, 0.0, 2.0), (0, 1, 1, 0, 1))


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [FivePoints]
