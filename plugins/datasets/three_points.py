"""Three points that a threshold separates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dataset, Examples, hookimpl

from ._points import points

if TYPE_CHECKING:
    from torch import Generator


class ThreePoints(Dataset):
    """Three points that a threshold separates (Karpukhin et al., 2022).

    -0.25, 0 and 0.25 with the labels 0, 0, 1: any threshold in (0, 0.25) is right. The table is the whole problem: the
    three points are the training, the validation and the test part.
    """

    reference = """
    @misc{karpukhin2022exact, author = {Karpukhin, Ivan and Dereka, Stanislav and Kolesnikov, Sergey}, title =
      {{EXACT}: How to Train Your Accuracy}, eprint = {2205.09615}, archiveprefix = {arXiv}, year = {2022}}"""

    def load(self, generator: Generator) -> Examples:
        """The fixed table; nothing is drawn."""
        return points((-0.25, 0.0, 0.25), (0, 0, 1))


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [ThreePoints]
