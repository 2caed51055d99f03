"""Exact denoiser of a mixture of isotropic normal distributions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from harness import BenchError, Denoiser, NonNegative, Positive, derived, hookimpl

from ._mixture import Law, Mixture, mixture


class GaussianMixture(Mixture):
    """Exact denoiser of a mixture of isotropic normal distributions.

    `means` are points, or numbers on a line; `weights` need not add up to 1 and are equal if left out; `stds` is a
    deviation for each component, or one for all, 0 for a point. With `conditional` every component is a class, whose
    prediction is exact too: labels are drawn uniformly, so the weights are equal.
    """

    means: Sequence[float] | Sequence[Sequence[float]] = (-1.0, 1.0)
    weights: Sequence[Positive] | None = None
    stds: NonNegative | Sequence[NonNegative] = 0.2
    conditional: bool = False

    shape = derived(lambda self: (len(self._points()[0]),))
    classes = derived(lambda self: len(self.means) if self.conditional else None)

    def __post_init__(self) -> None:
        """Raises BenchError for no means, points of unequal dimension, and another number of weights or stds."""
        super().__post_init__()
        dimensions = {len(point) for point in self._points()}
        if len(dimensions) != 1 or 0 in dimensions:
            raise BenchError("gaussian_mixture.means: expected points of one dimension, at least one of them")
        for name, values in (("weights", self.weights), ("stds", self.stds)):
            if isinstance(values, Sequence) and len(values) != len(self.means):
                raise BenchError(f"gaussian_mixture.{name}: {len(values)} for {len(self.means)} means")
        if self.conditional and self.weights is not None:
            raise BenchError(
                "gaussian_mixture.weights: leave them out, labels of a conditional one are drawn uniformly"
            )

    def law(self) -> Law:
        """Components in the order of `means`."""
        means = torch.tensor(self._points(), dtype=torch.float64)
        weights = torch.tensor(self.weights or [1.0] * len(means), dtype=torch.float64)
        return mixture(weights, means, torch.tensor(self.stds, dtype=torch.float64).square().expand(len(means)))

    def _points(self) -> list[Sequence[float]]:
        return [mean if isinstance(mean, Sequence) else (mean,) for mean in self.means]


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [GaussianMixture]
