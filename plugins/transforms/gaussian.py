"""Argmax under normal noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from harness import Transform, hookimpl

from . import _light_tails
from ._noise import Noise
from ._published import gauss_hermite

if TYPE_CHECKING:
    from torch import Tensor

    from ._law import Law


class Gaussian(Noise):
    """Probability that each class wins under normal noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent normal noise: multinomial probit. Logits [..., n] ->
    probabilities [..., n]. Two classes d apart: Phi(d / (scale sqrt 2)). `log` is accurate for classes up to 36 scales
    below the best; further down it stays finite and too low. `rule: gauss_hermite` has the nodes and weights that are
    exact for polynomials under normal noise, O(n^2 nodes).
    """

    rule: Literal["adaptive", "published", "midpoints", "gauss_hermite"] = "adaptive"  # type: ignore[assignment]

    def law(self) -> Law:
        """The standard normal distribution."""
        return _light_tails.Gaussian()

    def levels(self) -> tuple[Tensor, Tensor]:
        """Levels and weights of a fixed rule."""
        return gauss_hermite(self.nodes) if self.rule == "gauss_hermite" else super().levels()

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.norm(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Gaussian]
