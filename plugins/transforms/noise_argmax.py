"""Argmax under the noise of any torch distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import BenchError, Transform, hookimpl

from ._adaptive import OfTorch, distribution
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law


class NoiseArgmax(Noise):
    """Probability that each class wins under any continuous noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent noise of any continuous torch distribution. Logits
    [..., n] -> probabilities [..., n]. `noise` is its name in torch.distributions, `parameters` its arguments (loc 0
    and scale 1 where none are given); it must have `cdf` and `log_prob`. Adaptive and slow, for experiments; errors are
    about 1e-9 at best, more for densities with poles. `log` is only as good as torch's `cdf` far to the left, about
    1e-12. Parameters cannot be learned. `rsample` with a generator needs `icdf`.
    """

    noise: str = "Normal"
    parameters: dict[str, float] | None = None

    def law(self) -> Law:
        """The distribution. Raises BenchError where torch has none of this name or it has no cdf."""
        given = tuple(sorted((self.parameters or {}).items()))
        try:
            distribution(self.noise, given, torch.device("cpu")).cdf(torch.tensor(0.5, dtype=torch.float64))
        except (AttributeError, TypeError, NotImplementedError) as error:
            raise BenchError(f"noise_argmax.noise: {self.noise} cannot be used: {error}") from None
        return OfTorch(self.noise, given)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [NoiseArgmax]
