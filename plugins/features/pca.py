"""Principal components of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Feature, PositiveInt, hookimpl

from ._components import fit, project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


class PCA(Feature):
    """Largest principal components of the reference data (Pearson, 1901).

    samples [n, *shape] -> [n, c], float64; c is `components`, or less where the data have fewer. With `whiten` each has
    unit variance in the data, so that the small ones count like the large ones; without, distances are those of the
    samples within the components' space.
    """

    reference = """
    @article{pearson1901lines, author = {Pearson, Karl}, title = {On Lines and Planes of Closest Fit to Systems of
      Points in Space}, journal = {The London, Edinburgh, and Dublin Philosophical Magazine and Journal of
      Science}, volume = {2}, number = {11}, pages = {559--572}, year = {1901}}"""

    components: PositiveInt = 32
    whiten: bool = True

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Mean and directions of the reference data."""
        return fit(data.flatten(1), self.components, self.whiten)

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return project(prepared, x.flatten(1))


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [PCA]
