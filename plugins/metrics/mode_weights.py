"""Whether every mode gets its share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from harness.stock.metrics._mixture import mixture_of

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Ready


class ModeWeights(Metric):
    """Total variation between a mixture's weights and the samples' mean responsibilities. Lower is better.

    samples [n, *shape], denoiser -> scalar in [0, 1]; None where the target is no mixture of normal distributions, or a
    component of it is flat in some direction. It says whether modes are lost or over-fed, not whether they have the
    right shape: never rank by it alone. Biased upward: a perfect sampler has about sum_k sqrt(w_k (1 - w_k) / (2 pi n))
    where modes lie apart, .04 for 25 equal ones at n = 2048. The interval is that of the seeds, without the bias.
    """

    better: ClassVar[str] = "lower"
    floor: ClassVar[float | None] = None

    def __call__(self, samples: Tensor, denoiser: Ready) -> float | None:
        target = mixture_of(denoiser)
        if target is None or bool(torch.linalg.cholesky_ex(target.covariances).info.any()):
            return None
        shares = target.log_joint(samples.flatten(1).to(target.means)).softmax(-1).mean(0)
        return float((shares - target.weights).abs().sum()) / 2


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [ModeWeights]
