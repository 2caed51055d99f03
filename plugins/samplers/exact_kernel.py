"""The exact reverse process, as a control."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from harness import Denoiser, Sampler, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Noise, Ready


class ExactKernel(Sampler):
    """Draws x_s from its exact law given x_t: at every step x_0 given x_t, then x_s given both. Exact with any grid.

    x_s given x_t and x_0 is normal (Ho et al., 2020, equations 6 and 7). What is left of an error is that sampling
    starts in normal noise and not at x_T.
    """

    ignores: ClassVar = ("variance",)
    control: ClassVar[bool] = True

    def skip(self, denoiser: Denoiser) -> str | None:
        """A denoiser without an exact posterior to draw from."""
        return None if denoiser.knows("recover") else f"{denoiser!r} has no exact reverse kernel"

    def sample(
        self, denoiser: Ready, covariance: Callable[..., Tensor] | None, x: Tensor, times: Tensor, noise: Noise
    ) -> Tensor:
        """x_T [b, *shape] -> x_0 [b, *shape]; no noise is added at s = 0."""
        kept = denoiser.schedule.alpha_bar(times).tolist()
        for step, (t, (now, then)) in enumerate(zip(times.tolist(), pairwise(kept), strict=False)):
            x0 = denoiser.recover(x, t, _named(noise, step))
            x = x0 if then == 1 else _between(x, x0, now, then, noise(step, x))
        return x


def _named(noise: Noise, step: int) -> Callable[[str, Tensor], Tensor]:
    return lambda name, x: noise(f"{step}/{name}", x)


def _between(x: Tensor, x0: Tensor, now: float, then: float, noise: Tensor) -> Tensor:
    """x_s given x_t and x_0, where `now` is A_t and `then` A_s."""
    ratio = now / then
    step, left = 1 - ratio, (1 - then) / (1 - now)
    return then**0.5 * step / (1 - now) * x0 + ratio**0.5 * left * x + (step * left) ** 0.5 * noise


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [ExactKernel]
