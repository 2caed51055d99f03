"""The reverse variance of a denoiser that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch

from harness import Count, Denoiser, Variance, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import Ready

NODES = 128
"""Times at which the isotropic form is taken, fewer where they round to the same."""


class Exact(Variance):
    """c = Cov[x_0 | x_t] itself, where the denoiser knows it: what the estimators estimate.

    `form` is full [b, d, d]; diagonal [b, *shape], its diagonal; or isotropic, the number E[tr Cov[x_0 | x_t]] / d for
    each time, the best that does not depend on x_t (Bao et al., 2022, theorem 1). The expectation is taken once, over
    `draws` of x_t at some hundred whole times, and interpolated between them, within 1 % for the linear schedule.
    """

    form: Literal["isotropic", "diagonal", "full"] = "diagonal"
    draws: Count = 1000

    def skip(self, denoiser: Denoiser) -> str | None:
        """A denoiser without an exact posterior."""
        return f"{denoiser!r} has no exact posterior" if type(denoiser).posterior is Denoiser.posterior else None

    def fit(self, denoiser: Ready, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """`mean`: the isotropic c at `times`; the same data and noise at all of them keep it smooth in t."""
        if self.form != "isotropic":
            return {}
        x0 = data[: self.draws]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        times = _nodes(denoiser.schedule.steps)
        kept = denoiser.schedule.alpha_bar(times).tolist()
        seen = ((a**0.5 * x0 + (1 - a) ** 0.5 * noise, t) for a, t in zip(kept, times.tolist(), strict=True) if t)
        means = [float(_diagonal(denoiser, x, t).double().mean()) for x, t in seen]
        return {"times": times, "mean": torch.tensor([0.0, *means], dtype=torch.float64)}

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        """c in the chosen form."""
        if self.form == "isotropic":
            return _between(fitted["times"], fitted["mean"], t)
        denoiser: Ready = fitted["denoiser"]
        return denoiser.posterior(x, t) if self.form == "full" else _diagonal(denoiser, x, t).view_as(x)


def _diagonal(denoiser: Ready, x: Tensor, t: float) -> Tensor:
    return denoiser.posterior(x, t).diagonal(dim1=-2, dim2=-1)


def _nodes(steps: int) -> Tensor:
    """0, T and whole times between, denser towards 0, where c grows like a power of t."""
    spaced = steps * torch.linspace(0, 1, NODES, dtype=torch.float64).square()
    return spaced.ceil().unique()


def _between(times: Tensor, values: Tensor, t: float) -> float:
    right = min(max(int(torch.searchsorted(times, t)), 1), len(times) - 1)
    share = (t - times[right - 1]) / (times[right] - times[right - 1])
    return float(torch.lerp(values[right - 1], values[right], share))


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [Exact]
