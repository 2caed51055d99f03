"""Analytic-DPM: the best variance that is the same for every x_t."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import torch

from harness import PositiveInt, Variance, hookimpl

from ._bounds import largest
from ._times import between, noisy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import DiffusionModel

BATCH = 512
Bound = Literal["noise", "variance", "range"]
BOUNDS: Sequence[Bound] = ("noise", "variance", "range")


class Analytic(Variance):
    """Best variance per time, estimated from draws (Bao et al., 2022).

    c = E tr Cov[x_0 | x_t] / d, a number for each time, from `draws` of x_t at every whole one. There are three
    estimates, which have equal means only for an exact prediction.

    `E1` is (B_t / A_t) (1 - E|eps|^2 / d), from the size of the prediction, as in the paper. It is exact at small t;
    where B_t / A_t is large it is all noise. `E2` is Var x_0 - E|x_0hat - E x_0|^2 / d (Su, 2022,
    kexue.fm/archives/9245). `E3` is E|x_0 - x_0hat|^2 / d, the error of the prediction: the maximum-likelihood value
    for any prediction, so it alone may exceed `bounds`, to which E1 and E2 are cut: `noise` B_t / A_t, `variance` Var
    x_0, `range` ((b - a) / 2)^2 for data in [a, b]. All are at least 0; between whole times c is a straight line.
    """

    reference = """
    @inproceedings{bao2022analytic, author = {Bao, Fan and Li, Chongxuan and Zhu, Jun and Zhang, Bo}, title =
      {{Analytic-DPM}: an Analytic Estimate of the Optimal Reverse Variance in Diffusion Probabilistic Models},
      booktitle = {International Conference on Learning Representations}, year = {2022}}"""

    estimator: Literal["E1", "E2", "E3"] = "E3"
    draws: PositiveInt = 1000
    bounds: Sequence[Bound] = BOUNDS

    not_in_artifact: ClassVar[Sequence[str]] = ("estimator", "bounds")

    def fit(
        self,
        model: DiffusionModel,
        data: Tensor,
        generator: Generator,
        on_progress: Callable[..., None] = lambda *_: None,
    ) -> dict[str, Tensor]:
        """Statistics for all three: `power`, `guess`, `residual` [T + 1, 2], means per dimension and standard errors.

        The same data and noise at all times keep them smooth in t.
        """
        x0 = data[torch.arange(self.draws) % len(data)]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        mean, variance = _moments(model, data)
        known = torch.tensor([[1.0, 0.0], [variance, 0.0], [0.0, 0.0]], dtype=torch.float64)  # at t = 0
        rows = [known]
        for t in range(1, model.schedule.num_train_timesteps + 1):
            parts = zip(x0.split(BATCH), noise.split(BATCH), strict=True)
            rows.append(_summary(torch.cat([_seen(model, *part, mean, t) for part in parts])))
            on_progress(t, model.schedule.num_train_timesteps)
        power, guess, residual = torch.stack(rows, 1)
        return {"power": power, "guess": guess, "residual": residual, "variance": torch.tensor(variance)}

    def summary(self, model: DiffusionModel, fitted: Mapping[str, Tensor]) -> str:
        """Number of draws, and the standard error of c relative to c."""
        schedule = model.schedule
        times = torch.arange(1, schedule.num_train_timesteps + 1, dtype=torch.float64)
        c, error = self._estimate(model, fitted, schedule.alpha_bar(times), slice(1, None))
        share = torch.where(c > 0, error / c, torch.nan).cpu()
        cut, worst = int((c == 0).sum()), int(share.nan_to_num(-1).argmax())
        beyond = f"; past its bound and cut to 0 at {cut:,}" if cut else ""
        most = f"{float(share[worst]):.1%}" if share[worst] < 10 else "many times itself"
        said = f"c by {self.estimator} from {self.draws:,} draws per time, to {float(share.nanmedian()):.1%}"
        return f"{said} (standard error) at half of them and to {most} at t = {worst + 1}{beyond}"

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> float:
        """Estimate for this time."""
        schedule = model.schedule
        left = min(int(t), schedule.num_train_timesteps - 1)
        times = torch.tensor([left, left + 1], dtype=torch.float64)
        c, _ = self._estimate(model, fitted, schedule.alpha_bar(times), slice(left, left + 2))
        return float(between(times, c.cpu(), t))

    def _estimate(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], kept: Tensor, rows: slice
    ) -> tuple[Tensor, Tensor]:
        """Estimate c at the whole times of some rows with A_t `kept`, and its standard error."""
        ratio = ((1 - kept) / kept).to(fitted["power"])
        if self.estimator == "E3":
            return fitted["residual"][rows].unbind(-1)  # type: ignore[return-value]
        (power, power_error), (guess, guess_error) = (fitted[name][rows].unbind(-1) for name in ("power", "guess"))
        first = self.estimator == "E1"
        c = ratio * (1 - power) if first else fitted["variance"] - guess
        most = {"noise": ratio, "variance": fitted["variance"], "range": largest(model)}
        for bound in self.bounds:
            c = torch.minimum(c, torch.as_tensor(most[bound]).to(c))
        return c.clamp(min=0), ratio * power_error if first else guess_error


def _seen(model: DiffusionModel, x0: Tensor, noise: Tensor, mean: Tensor, t: int) -> Tensor:
    """Values |eps|^2, |x_0hat - E x_0|^2 and |x_0 - x_0hat|^2 of each sample, over d: [b, 3]."""
    guess, eps = model.x0_and_eps(noisy(model.schedule, x0, noise, t), float(t))
    parts = (eps, guess - mean.to(guess), x0 - guess)
    return torch.stack([part.flatten(1).double().square().mean(1) for part in parts], 1)


def _summary(values: Tensor) -> Tensor:
    """Means of columns and their standard errors: [n, k] -> [k, 2]."""
    error = values.std(0) / len(values) ** 0.5 if len(values) > 1 else torch.zeros_like(values[0])
    return torch.stack([values.mean(0), error], 1).cpu()


def _moments(model: DiffusionModel, data: Tensor) -> tuple[Tensor, float]:
    """Mean E x_0 [*shape] and variance Var x_0 per dimension: exact where they are known, else those of the data."""
    known = model.moments()
    if known is None:
        return data.double().mean(0), float(data.double().var(0, correction=0).mean())
    mean, covariance = known
    return mean.view(model.shape), float(covariance.diagonal().mean())


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [Analytic]
