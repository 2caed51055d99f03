"""A dissimilarity: how far apart points are."""

from torch import Tensor

from harness import Dissimilarity, Positive, hookimpl, pairwise_distances


class Saturating(Dissimilarity):
    """d / (scale + d), with d the Euclidean distance."""

    scale: Positive = 1.0

    def __call__(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Points x [n, d] and y [m, d] -> [n, m]; without y, every pair of x, [n, n]."""
        distances = pairwise_distances(x, x if y is None else y)
        return distances / (self.scale + distances)


@hookimpl
def components() -> list[type[Dissimilarity]]:
    """The component classes of this module."""
    return [Saturating]
