"""Surprise at the samples beyond that at data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Ready


class CrossEntropyExcess(Metric):
    """Mean of -log p over samples minus its mean over draws of p, in nats. A description: 0 is perfect.

    samples [n, *shape], reference_features [m, d], moments, denoiser -> scalar. Positive where samples are too noisy or
    lie between modes, negative where they are too smooth: 0 does not prove a sampler right, so never rank by it alone.
    Unbiased at every n; its variance is that of log p, d / 2 for a normal distribution, over n and m. None where the
    density is not known, or the suite's feature is not the samples themselves. The interval is that of the seeds.
    """

    better: ClassVar[str | None] = None
    unit: ClassVar[str | None] = "nats"
    floor: ClassVar[float | None] = 0.0

    def __call__(
        self,
        samples: Tensor,
        reference_features: Tensor,
        moments: tuple[Tensor, Tensor] | None,
        denoiser: Ready,
    ) -> float | None:
        if moments is None or denoiser.denoiser.log_density(denoiser.net, samples[:1]) is None:
            return None
        drawn = reference_features.view(-1, *samples.shape[1:])
        return float(denoiser.log_density(drawn).double().mean() - denoiser.log_density(samples).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [CrossEntropyExcess]
