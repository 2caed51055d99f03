"""Excess of the cross-entropy of samples over that of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


class ExcessCrossEntropy(Metric):
    """Mean of -log p over samples minus its mean over data.

    In nats; p is the density of the data. A description: 0 is perfect. samples [n, *shape], reference_features [m, d],
    moments, model -> scalar. Positive where samples are too noisy or lie between modes, negative where they are too
    smooth: 0 does not prove a sampler right, so never rank by it alone. Unbiased at every n; its variance is that of
    log p, d / 2 for a normal distribution, over n and m. None where the density is not known, or the suite's feature is
    not the samples themselves. The interval is that of the seeds.
    """

    higher_is_better: ClassVar[bool | None] = None
    unit: ClassVar[str | None] = "nats"
    ideal: ClassVar[float | None] = 0.0

    def __call__(
        self,
        samples: Tensor,
        reference_features: Tensor,
        moments: tuple[Tensor, Tensor] | None,
        model: DiffusionModel,
    ) -> float | None:
        if moments is None or model.denoiser.log_prob(model.net, samples[:1]) is None:
            return None
        drawn = reference_features.view(-1, *samples.shape[1:])
        return float(model.log_prob(drawn).double().mean() - model.log_prob(samples).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [ExcessCrossEntropy]
