"""Exact reverse process, as a control."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from harness import Denoiser, Sampler, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel, NoiseSource


class ExactKernel(Sampler):
    """Control that draws each step from its exact distribution.

    x_s from its exact law given x_t: at every step x_0 given x_t, then x_s given both. Exact with any spacing. x_s
    given x_t and x_0 is normal (Ho et al., 2020, equations 6 and 7). The remaining error is that sampling starts in
    normal noise and not at x_T.
    """

    reference = """
    @inproceedings{ho2020ddpm, author = {Ho, Jonathan and Jain, Ajay and Abbeel, Pieter}, title = {Denoising
      Diffusion Probabilistic Models}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2020}}"""

    unused_kinds: ClassVar = ("variance",)
    is_control: ClassVar[bool] = True

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason for a denoiser without an exact posterior to draw from, or None."""
        return None if denoiser.supports("sample_posterior") else f"{denoiser!r} has no exact reverse kernel"

    def sample(
        self,
        model: DiffusionModel,
        covariance: object,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor:
        """Samples x_0 [b, *shape] from x_T [b, *shape]; no noise is added at s = 0."""
        kept = model.schedule.alpha_bar(times).tolist()
        for step, (t, (now, then)) in enumerate(zip(times.tolist(), pairwise(kept), strict=False)):
            x0 = model.sample_posterior(x, t, _named(noise, step))
            x = x0 if then == 1 else _between(x, x0, now, then, noise(step, x))
        return x


def _named(noise: NoiseSource, step: int) -> Callable[[str, Tensor], Tensor]:
    return lambda name, x: noise(f"{step}/{name}", x)


def _between(x: Tensor, x0: Tensor, now: float, then: float, noise: Tensor) -> Tensor:
    """Draws of x_s given x_t and x_0, where `now` is A_t and `then` A_s."""
    ratio = now / then
    step, left = 1 - ratio, (1 - then) / (1 - now)
    drawn: Tensor = then**0.5 * step / (1 - now) * x0 + ratio**0.5 * left * x + (step * left) ** 0.5 * noise
    return drawn


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [ExactKernel]
