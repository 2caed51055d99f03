"""Distance of the samples' mode frequencies from the weights of the modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

from ._mixture import mixture_of

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


class ModeWeightTV(Metric):
    """Total variation between mode weights and the samples' mode frequencies.

    Frequencies are mean responsibilities of the components of a mixture. Lower is better. samples [n, *shape], model
    -> scalar in [0, 1]; None where the target is no mixture of normal distributions, or where one of its components is
    degenerate. It shows whether modes are lost or too frequent, not whether they have the right shape: never rank by it
    alone. Biased upward: a perfect sampler has about sum_k sqrt(w_k (1 - w_k) / (2 pi n)) where modes lie apart, .04
    for 25 equal ones at n = 2048. The interval is that of the seeds, without the bias.
    """

    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = None

    def __call__(self, samples: Tensor, model: DiffusionModel) -> float | None:
        target = mixture_of(model)
        if target is None or bool(torch.linalg.cholesky_ex(target.covariances).info.any()):
            return None
        shares = target.log_joint(samples.flatten(1).to(target.means)).softmax(-1).mean(0)
        return float((shares - target.weights).abs().sum()) / 2


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [ModeWeightTV]
