"""A sampler: from noise to samples."""

from typing import Any, ClassVar

from torch import Tensor

from harness import DiffusionModel, NoiseSource, Sampler, hookimpl


class PlainDDIM(Sampler):
    """Deterministic DDIM (Song et al., 2021, eq. 12 without noise)."""

    unused_kinds: ClassVar = ("variance",)
    order = 1

    def sample(
        self,
        model: DiffusionModel,
        covariance: Any,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
        /,
    ) -> Tensor:
        """Noise x [n, *shape] at the first time -> samples at the last."""
        kept = model.schedule.alpha_bar(times).tolist()
        for t, after in zip(times[:-1].tolist(), kept[1:], strict=True):
            x0, eps = model.x0_and_eps(x, t)
            x = after**0.5 * x0 + (1 - after) ** 0.5 * eps
        return x


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [PlainDDIM]
