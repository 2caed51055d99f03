"""Estimates for each element of a sample: its mean over x_t, and by how much the one at hand differs."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from harness.stock.variances._bounds import largest
from harness.stock.variances._heads import Trial, said, train
from harness.stock.variances._times import between, nodes, noisy

from harness import Count, Variance

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import Ready

ONE = math.log(math.e - 1)
"""softplus(ONE) = 1."""


class Elements(Variance):
    """c_i(x_t) = m_i(t) softplus(h_i(x_t)): m is the mean squared error of x_0hat in element i, h a trained head's.

    The head sees the frozen trunk of the network; where there is none, as of an exact mixture, it is a small network of
    its own that sees x_t, x_0hat and t. It starts from c = m and learns what `target` is in the mean given x_t, by
    least squares, which any positive weight of t and i leaves what it is: `weight` keeps the squares of one size. With
    `clip` c is at most ((b - a) / 2)^2, the largest variance of data in [a, b]; the square of an error may be more.
    """

    form: Literal["diagonal", "isotropic"] = "diagonal"
    clip: bool = False
    head: bool = True
    steps: Count = 2000
    draws: Count = 1000

    late: ClassVar[Sequence[str]] = ("form", "clip")

    @abstractmethod
    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """What estimates c / m [b, *shape], and the weight of its square; `share` is m A_t / B_t."""

    def without(self, fitted: Mapping[str, Any], kept: float, mean: Tensor, eps: Tensor) -> Tensor:
        """c without a head, from A_t, the mean m [*shape] and eps [b, *shape]."""
        return mean.to(eps).expand_as(eps)

    def fit(
        self, denoiser: Ready, data: Tensor, generator: Generator, report: Callable[..., None] = lambda *_: None
    ) -> dict[str, Tensor]:
        """`mean` [n, *shape], m at `times` [n], `error` [n], its standard error beside it, and the head's weights."""
        times = nodes(denoiser.schedule)
        mean, error = _means(denoiser, data, self.draws, times, generator)
        found = {"times": times, "mean": mean, "error": error}
        if not self.head:
            return found

        def loss(trial: Trial) -> Tensor:
            here = between(times, mean, trial.t.cpu()).to(trial.x0).clamp(min=1e-12)
            kept = denoiser.schedule.alpha_bar(trial.t).to(here).view(-1, *[1] * (here.ndim - 1))
            target, weight = self.target(trial, here * kept / (1 - kept))
            return weight * (target - F.softplus(trial.said + ONE)).square()

        return found | train(denoiser, data, generator, self.steps, loss, report)

    def about(self, fitted: Mapping[str, Any]) -> str:
        """Draws and the error of the mean; the head."""
        size = sum(part.numel() for name, part in fitted.items() if name.startswith(("first", "second", "out")))
        head = f"; a head of {size:,} weights, {self.steps:,} steps" if self.head else "; no head"
        error = float(fitted["error"][1:].median())
        return (
            f"mean c of an element from {self.draws:,} draws at {len(fitted['times']) - 1} times, to {error:.1%}{head}"
        )

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        """c [b, *shape], or its mean over all elements of a sample."""
        denoiser: Ready = fitted["denoiser"]
        mean = between(fitted["times"], fitted["mean"], t)
        if self.head:
            c = mean.to(x) * F.softplus(said(denoiser, fitted, x, t, eps) + ONE).to(x)
        else:
            kept = float(denoiser.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
            c = self.without(fitted, kept, mean, eps)
        c = c.clamp(max=largest(denoiser)) if self.clip else c
        return c if self.form == "diagonal" else c.flatten(1).mean(1).view(-1, *[1] * (x.ndim - 1)).expand_as(x)


def _means(denoiser: Ready, data: Tensor, draws: int, times: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """m at the times [n, *shape], 0 at the first, and its relative standard error [n], the mean over the elements."""
    x0 = data[torch.arange(draws) % len(data)]
    noise = torch.randn(x0.shape, generator=generator).to(x0)
    means, errors = [torch.zeros_like(x0[0])], [torch.zeros(())]
    for t in times[1:].tolist():
        with torch.no_grad():
            off = (x0 - denoiser.x0(noisy(denoiser.schedule, x0, noise, t), t)).square()
        means.append(off.mean(0))
        errors.append((off.std(0) / len(off) ** 0.5).mean() / means[-1].mean())
    return torch.stack(means).cpu(), torch.stack([each.cpu() for each in errors])
