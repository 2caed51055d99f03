"""Start from hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import PositiveInt, Prior, hookimpl

from ._counted import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


class Hub(Prior):
    """Normal draws that are neighbors of many others (Liang et al., 2022).

    Keeps the draws that are among the `k` nearest of `threshold` others or more. Batches of `batch` points are drawn
    until enough are kept; a point's neighbors are those of its own batch, itself left out. Nothing is moved or scaled.
    Hubs lie nearer to the mean than other draws: compare with `truncated_like`, which is as near, and with `anti_hub`,
    the opposite choice. Needs many dimensions. Raises BenchError where five batches have no hub.
    """

    reference = """
    @inproceedings{liang2022hubness, author = {Liang, Yuanbang and Wu, Jing and Lai, Yu-Kun and Qin, Yipeng}, title
      = {Exploring and Exploiting Hubness Priors for High-Quality {GAN} Latent Sampling}, booktitle =
      {International Conference on Machine Learning}, year = {2022}}"""

    k: PositiveInt = 5
    threshold: PositiveInt = 50
    batch: PositiveInt = 10000

    def draw(
        self, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None] = lambda *_: None
    ) -> Tensor:
        """Float32 draws of the given shape."""
        return kept(
            shape, generator, self.batch, self.k, lambda counts: counts >= self.threshold, self._missing, on_progress
        )

    def _missing(self, drawn: int, dimensions: int, counts: Tensor) -> str:
        return (
            f"{self!r} keeps no points: of {drawn:,} points in {dimensions} dimensions the largest hub is a "
            f"neighbor of {int(counts.max())}; lower the threshold of {self.threshold}"
        )


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Hub]
