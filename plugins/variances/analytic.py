"""Analytic-DPM: the best variance that is the same for every x_t."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from harness.stock.variances._bounds import largest
from harness.stock.variances._times import between, noisy

from harness import Count, Variance, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import Ready

BATCH = 512
BOUNDS = ("noise", "variance", "range")


class Analytic(Variance):
    """c = E tr Cov[x_0 | x_t] / d, a number for each time, from `draws` of x_t at every whole one (Bao et al., 2022).

    Three estimates, of equal mean for an exact guess alone. E1: (B_t / A_t) (1 - E|eps|^2 / d), of the size of the
    guess; the paper's, exact at small t, where B_t / A_t is large all noise. E2: Var x_0 - E|x_0hat - E x_0|^2 / d
    (Su, 2022, kexue.fm/archives/9245). E3: E|x_0 - x_0hat|^2 / d, the error of the guess: the most likely value
    whatever the guess is worth, so it alone may pass `bounds`, to which E1 and E2 are cut: noise B_t / A_t, variance
    Var x_0, range ((b - a) / 2)^2 for data in [a, b]. All are at least 0; between whole times c is a straight line.
    """

    estimator: Literal["E1", "E2", "E3"] = "E3"
    draws: Count = 1000
    bounds: Sequence[Literal["noise", "variance", "range"]] = BOUNDS

    late: ClassVar[Sequence[str]] = ("estimator", "bounds")

    def fit(
        self, denoiser: Ready, data: Tensor, generator: Generator, report: Callable[..., None] = lambda *_: None
    ) -> dict[str, Tensor]:
        """What all three need: `power`, `guess`, `residual` [T + 1, 2], means a dimension and their standard errors.

        The same data and noise at all times keep them smooth in t.
        """
        x0 = data[torch.arange(self.draws) % len(data)]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        mean, variance = _moments(denoiser, data)
        known = torch.tensor([[1.0, 0.0], [variance, 0.0], [0.0, 0.0]], dtype=torch.float64)  # at t = 0
        rows = [known]
        for t in range(1, denoiser.schedule.steps + 1):
            parts = zip(x0.split(BATCH), noise.split(BATCH), strict=True)
            rows.append(_summary(torch.cat([_seen(denoiser, *part, mean, t) for part in parts])))
            report(t, denoiser.schedule.steps)
        power, guess, residual = torch.stack(rows, 1)
        return {"power": power, "guess": guess, "residual": residual, "variance": torch.tensor(variance)}

    def about(self, fitted: Mapping[str, Any]) -> str:
        """Draws, and the standard error of c beside c."""
        schedule = fitted["denoiser"].schedule
        times = torch.arange(1, schedule.steps + 1, dtype=torch.float64)
        c, error = self._estimate(fitted, schedule.alpha_bar(times), slice(1, None))
        share = torch.where(c > 0, error / c, torch.nan).cpu()
        cut, worst = int((c == 0).sum()), int(share.nan_to_num(-1).argmax())
        beyond = f"; past its bound and cut to 0 at {cut:,}" if cut else ""
        most = f"{float(share[worst]):.1%}" if share[worst] < 10 else "many times itself"
        said = f"c by {self.estimator} from {self.draws:,} draws a time, to {float(share.nanmedian()):.1%}"
        return f"{said} (standard error) at half of them and to {most} at t = {worst + 1}{beyond}"

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> float:
        """The number for this time."""
        schedule = fitted["denoiser"].schedule
        left = min(int(t), schedule.steps - 1)
        times = torch.tensor([left, left + 1], dtype=torch.float64)
        c, _ = self._estimate(fitted, schedule.alpha_bar(times), slice(left, left + 2))
        return float(between(times, c.cpu(), t))

    def _estimate(self, fitted: Mapping[str, Any], kept: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        """c at the whole times of some rows, where the share `kept` of data is left, and its standard error."""
        ratio = ((1 - kept) / kept).to(fitted["power"])
        if self.estimator == "E3":
            return fitted["residual"][rows].unbind(-1)  # type: ignore[return-value]
        (power, power_error), (guess, guess_error) = (fitted[name][rows].unbind(-1) for name in ("power", "guess"))
        first = self.estimator == "E1"
        c = ratio * (1 - power) if first else fitted["variance"] - guess
        most = {"noise": ratio, "variance": fitted["variance"], "range": largest(fitted["denoiser"])}
        for bound in self.bounds:
            c = torch.minimum(c, torch.as_tensor(most[bound]).to(c))
        return c.clamp(min=0), ratio * power_error if first else guess_error


def _seen(denoiser: Ready, x0: Tensor, noise: Tensor, mean: Tensor, t: int) -> Tensor:
    """|eps|^2, |x_0hat - E x_0|^2 and |x_0 - x_0hat|^2 of each sample, over d: [b, 3]."""
    guess, eps = denoiser.both(noisy(denoiser.schedule, x0, noise, t), float(t))
    parts = (eps, guess - mean.to(guess), x0 - guess)
    return torch.stack([part.flatten(1).double().square().mean(1) for part in parts], 1)


def _summary(values: Tensor) -> Tensor:
    """Means of columns and their standard errors: [n, k] -> [k, 2]."""
    error = values.std(0) / len(values) ** 0.5 if len(values) > 1 else torch.zeros_like(values[0])
    return torch.stack([values.mean(0), error], 1).cpu()


def _moments(denoiser: Ready, data: Tensor) -> tuple[Tensor, float]:
    """E x_0 [*shape] and Var x_0, the mean over the dimensions: exact where they are known, else those of the data."""
    known = denoiser.moments()
    if known is None:
        return data.double().mean(0), float(data.double().var(0, correction=0).mean())
    mean, covariance = known
    return mean.view(denoiser.shape), float(covariance.diagonal().mean())


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [Analytic]
