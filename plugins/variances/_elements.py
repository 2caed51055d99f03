"""Estimates for each element of a sample: its mean over x_t, and a learned deviation from it for each x_t."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
import torch.nn.functional as F

from harness import PositiveInt, Variance

from ._bounds import largest
from ._heads import Trial, said, train
from ._times import between, nodes, noisy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import DiffusionModel

ONE = math.log(math.e - 1)
"""Argument at which softplus is 1."""


class Elements(Variance):
    """Estimates for each element: the mean squared error of x_0hat times a learned factor.

    c_i(x_t) = m_i(t) softplus(h_i(x_t)) with m the mean squared error of x_0hat in element i and h a trained head. The
    head takes the features of the frozen network; where there are none, as for an exact mixture, it is a small network
    of its own that takes x_t, x_0hat and t. It starts from c = m and learns the conditional mean of `target` given x_t
    by least squares, which no positive weight of t and i changes: `weight` keeps the squares at one size. With `clip` c
    is at most ((b - a) / 2)^2, the largest variance of data in [a, b]; the square of an error may be more.
    """

    form: Literal["diagonal", "isotropic"] = "diagonal"
    clip: bool = False
    head: bool = True
    steps: PositiveInt = 2000
    draws: PositiveInt = 1000

    not_in_artifact: ClassVar[Sequence[str]] = ("form", "clip")

    @abstractmethod
    def target(self, trial: Trial, share: Tensor) -> tuple[Tensor, Tensor]:
        """Estimate of c / m [b, *shape] from one draw, and the weight of its square; `share` is m A_t / B_t."""

    def without(self, fitted: Mapping[str, Tensor], kept: float, mean: Tensor, eps: Tensor) -> Tensor:
        """Estimate c without a head, from A_t, the mean m [*shape] and eps [b, *shape]."""
        return mean.to(eps).expand_as(eps)

    def fit(
        self,
        model: DiffusionModel,
        data: Tensor,
        generator: Generator,
        on_progress: Callable[..., None] = lambda *_: None,
    ) -> dict[str, Tensor]:
        """Means `mean` [n, *shape] at `times` [n], their standard error `error` [n], and the weights of the head."""
        times = nodes(model.schedule)
        mean, error = _means(model, data, self.draws, times, generator)
        found = {"times": times, "mean": mean, "error": error}
        if not self.head:
            return found

        def loss(trial: Trial) -> Tensor:
            here = between(times, mean, trial.t.cpu()).to(trial.x0).clamp(min=1e-12)
            kept = model.schedule.alpha_bar(trial.t).to(here).view(-1, *[1] * (here.ndim - 1))
            target, weight = self.target(trial, here * kept / (1 - kept))
            return weight * (target - F.softplus(trial.said + ONE)).square()

        return found | train(model, data, generator, self.steps, loss, on_progress)

    def summary(self, model: DiffusionModel, fitted: Mapping[str, Tensor]) -> str:
        """Number of draws and error of the mean; the head."""
        size = sum(part.numel() for name, part in fitted.items() if name.startswith(("first", "second", "out")))
        head = f"; a head of {size:,} weights, {self.steps:,} steps" if self.head else "; no head"
        error = float(fitted["error"][1:].median())
        return (
            f"mean c of an element from {self.draws:,} draws at {len(fitted['times']) - 1} times, to {error:.1%}{head}"
        )

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Tensor:
        """Estimate c [b, *shape], or its mean over all elements of a sample."""
        mean = between(fitted["times"], fitted["mean"], t)
        if self.head:
            c = mean.to(x) * F.softplus(said(model, fitted, x, t, eps) + ONE).to(x)
        else:
            kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
            c = self.without(fitted, kept, mean, eps)
        c = c.clamp(max=largest(model)) if self.clip else c
        return c if self.form == "diagonal" else c.flatten(1).mean(1).view(-1, *[1] * (x.ndim - 1)).expand_as(x)


def _means(
    model: DiffusionModel, data: Tensor, draws: int, times: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Means m at the times [n, *shape], 0 at the first, and their relative standard errors [n].

    The errors are means over the elements.
    """
    x0 = data[torch.arange(draws) % len(data)]
    noise = torch.randn(x0.shape, generator=generator).to(x0)
    means, errors = [torch.zeros_like(x0[0])], [torch.zeros(())]
    for t in times[1:].tolist():
        with torch.no_grad():
            off = (x0 - model.x0(noisy(model.schedule, x0, noise, t), t)).square()
        means.append(off.mean(0))
        errors.append((off.std(0) / len(off) ** 0.5).mean() / means[-1].mean())
    return torch.stack(means).cpu(), torch.stack([each.cpu() for each in errors])
