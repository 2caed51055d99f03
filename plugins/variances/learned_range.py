"""Improved DDPM: a variance learned between beta~ and beta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import PositiveInt, Schedule, Variance, hookimpl

from ._heads import Trial, said, train

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import DiffusionModel


class LearnedRange(Variance):
    """Learned interpolation of two variances (Nichol and Dhariwal, 2021).

    sigma^2 = beta^f beta~^(1-f) for the step of DDPM, with f in [0, 1] by a head for each element. Its c is the one
    that gives this sigma^2, B_t (sigma^2 - beta~) / (beta - beta~), at most B_t, so that it serves other samplers too.
    The head is trained on the variational bound of the adjacent steps t to t - 1, with the prediction frozen: of
    L_simple + 0.001 L_vlb (Nichol and Dhariwal, 2021, section 3.1) only the second term depends on f, and there too its
    gradient does not reach the mean. Longer steps use the same f, as in the publication; at s = 0, where beta~ is 0,
    that of t = 2 is used.
    """

    reference = """
    @inproceedings{nichol2021improved, author = {Nichol, Alex and Dhariwal, Prafulla}, title = {Improved Denoising
      Diffusion Probabilistic Models}, booktitle = {International Conference on Machine Learning}, year =
      {2021}}"""

    steps: PositiveInt = 2000

    depends_on_s: ClassVar[bool] = True

    def fit(
        self,
        model: DiffusionModel,
        data: Tensor,
        generator: Generator,
        on_progress: Callable[..., None] = lambda *_: None,
    ) -> dict[str, Tensor]:
        """Weights of the head."""

        def loss(trial: Trial) -> Tensor:
            beta, least, gamma, stand_in = (
                part.to(trial.x0).view(-1, *[1] * (trial.x0.ndim - 1))
                for part in _step(model.schedule, trial.t, trial.t - 1)
            )
            log_sigma2 = torch.lerp(stand_in.log(), beta.log(), trial.said.sigmoid())
            off = least + gamma.square() * (trial.x0 - trial.guess).square()
            return (log_sigma2 - stand_in.log() + off / log_sigma2.exp()) / 2

        return train(model, data, generator, self.steps, loss, on_progress)

    def summary(self, model: DiffusionModel, fitted: Mapping[str, Tensor]) -> str:
        """The size of the head."""
        size = sum(part.numel() for part in fitted.values())
        return f"a head of {size:,} weights, {self.steps:,} steps"

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Tensor:
        """Estimate c [b, *shape]."""
        share = said(model, fitted, x, t, eps).sigmoid().double()
        pair = (torch.tensor(time, dtype=torch.float64) for time in (t, s))
        beta, least, _, stand_in = (part.to(share) for part in _step(model.schedule, *pair))
        sigma2 = torch.lerp(stand_in.log(), beta.log(), share).exp()
        left = 1 - model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)).to(share)
        return (left * (sigma2 - least) / (beta - least)).clamp(min=0).to(x)


def _step(schedule: Schedule, t: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Values beta_{t|s}, beta~_{t|s}, gamma, and beta~_{2|1}, which replaces beta~ where that is 0."""
    now, then = schedule.alpha_bar(t), schedule.alpha_bar(s)
    beta = 1 - now / then
    least = beta * (1 - then) / (1 - now)
    one, two = schedule.alpha_bar(torch.tensor([1.0, 2.0], dtype=torch.float64))
    lowest = (1 - two / one) * (1 - one) / (1 - two)
    return beta, least, then.sqrt() * beta / (1 - now), torch.where(least > 0, least, lowest.to(least))


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [LearnedRange]
