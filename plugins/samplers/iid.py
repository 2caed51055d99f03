"""Data itself, as a control."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from harness import Denoiser, Sampler, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Noise, Ready


class IID(Sampler):
    """Independent data instead of samples: how near to the target a perfect sampler comes with so few of them."""

    ignores: ClassVar = ("variance",)
    control: ClassVar[bool] = True

    def skip(self, denoiser: Denoiser) -> str | None:
        """A denoiser whose data cannot be drawn."""
        return None if denoiser.knows("draw") else f"{denoiser!r} has no data to draw"

    def sample(
        self, denoiser: Ready, covariance: Callable[..., Tensor] | None, x: Tensor, times: Tensor, noise: Noise
    ) -> Tensor:
        """As many draws as there are rows in x; neither they nor the times count."""
        return noise.drawn("data", len(x), denoiser.draw).to(x)


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [IID]
