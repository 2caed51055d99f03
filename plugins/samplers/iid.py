"""Independent data, as a control."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Denoiser, Sampler, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel, NoiseSource


class IID(Sampler):
    """Control that draws independent data instead of samples.

    It shows how near to the target a perfect sampler comes with so few samples.
    """

    unused_kinds: ClassVar = ("variance",)
    is_control: ClassVar[bool] = True

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason for a denoiser whose data cannot be drawn, or None."""
        return None if denoiser.supports("sample") else f"{denoiser!r} has no data to draw"

    def sample(
        self,
        model: DiffusionModel,
        covariance: object,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor:
        """Draw as many samples as x has rows; neither x nor the times matter."""
        return noise.drawn("data", len(x), model.sample).to(x)


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [IID]
