"""Improved DDPM: a variance learned between beta~ and beta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from harness.stock.variances._heads import Trial, said, train

from harness import Count, Schedule, Variance, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import Ready


class LearnedRange(Variance):
    """sigma^2 = beta^f beta~^(1-f) for the step of DDPM, with f in [0, 1] by a head for each element.

    Its c is what that sigma^2 stands for, B_t (sigma^2 - beta~) / (beta - beta~), at most B_t, so that it serves other
    samplers too. The head is trained on the variational bound of the adjacent steps t to t - 1, the guess being frozen:
    of L_simple + 0.001 L_vlb (Nichol and Dhariwal, 2021, section 3.1) only the second sees f, whose gradient is kept
    from the mean there too. Longer steps take the same f, as there; at s = 0, where beta~ is 0, that of t = 2 is taken.
    """

    steps: Count = 2000

    by_step: ClassVar[bool] = True

    def fit(
        self, denoiser: Ready, data: Tensor, generator: Generator, report: Callable[..., None] = lambda *_: None
    ) -> dict[str, Tensor]:
        """The head's weights."""

        def loss(trial: Trial) -> Tensor:
            beta, least, gamma, stand_in = (
                part.to(trial.x0).view(-1, *[1] * (trial.x0.ndim - 1))
                for part in _step(denoiser.schedule, trial.t, trial.t - 1)
            )
            log_sigma2 = torch.lerp(stand_in.log(), beta.log(), trial.said.sigmoid())
            off = least + gamma.square() * (trial.x0 - trial.guess).square()
            return (log_sigma2 - stand_in.log() + off / log_sigma2.exp()) / 2

        return train(denoiser, data, generator, self.steps, loss, report)

    def about(self, fitted: Mapping[str, Any]) -> str:
        """The head."""
        size = sum(part.numel() for name, part in fitted.items() if name != "denoiser")
        return f"a head of {size:,} weights, {self.steps:,} steps"

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
        """c [b, *shape]."""
        denoiser: Ready = fitted["denoiser"]
        share = said(denoiser, fitted, x, t, eps).sigmoid().double()
        pair = (torch.tensor(time, dtype=torch.float64) for time in (t, s))
        beta, least, _, stand_in = (part.to(share) for part in _step(denoiser.schedule, *pair))
        sigma2 = torch.lerp(stand_in.log(), beta.log(), share).exp()
        left = 1 - denoiser.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)).to(share)
        return (left * (sigma2 - least) / (beta - least)).clamp(min=0).to(x)


def _step(schedule: Schedule, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """beta_{t|s}, beta~_{t|s}, gamma, and what stands for beta~ where that is 0: beta~_{2|1}."""
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(s)
    beta = 1 - now / then
    least = beta * (1 - then) / (1 - now)
    one, two = schedule.alpha_bar(torch.tensor([1.0, 2.0], dtype=torch.float64))
    lowest = (1 - two / one) * (1 - one) / (1 - two)
    return beta, least, then.sqrt() * beta / (1 - now), torch.where(least > 0, least, lowest.to(least))


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [LearnedRange]
