"""Non-iterative contextual dissimilarity measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Dissimilarity, hookimpl

from ._blocks import Statistics
from ._scaled import Scaled

if TYPE_CHECKING:
    from torch import Tensor


class NICDM(Scaled):
    """Distance scaled by mean distances to neighbors (Jegou et al., 2007).

    The ratio |x - y| / sqrt(m_x m_y), m the mean distance to the k nearest. x [n, d], y [m, d] -> [n, m], from 0 up:
    one pass of the published iteration, as in Schnitzer et al. (2012). Raises BenchError for k or fewer points.
    """

    reference = r"""
    @inproceedings{jegou2007contextual, author = {J{\'e}gou, Herv{\'e} and Harzallah, Hedi and Schmid, Cordelia},
      title = {A Contextual Dissimilarity Measure for Accurate and Efficient Image Search}, booktitle = {IEEE
      Conference on Computer Vision and Pattern Recognition}, year = {2007}}
    @article{schnitzer2012local, author = {Schnitzer, Dominik and Flexer, Arthur and Schedl, Markus and Widmer,
      Gerhard}, title = {Local and Global Scaling Reduce Hubs in Space}, journal = {Journal of Machine Learning
      Research}, volume = {13}, pages = {2871--2902}, year = {2012}}"""

    def reach(self, to_neighbors: Tensor) -> Tensor:
        """Mean distance to the neighbors."""
        return to_neighbors.mean(1)

    def between(self, x: Tensor, y: Tensor, of_x: Statistics, of_y: Statistics) -> Tensor:
        """Dissimilarities [b, m]."""
        return self.ratios(x, y, of_x, of_y)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [NICDM]
