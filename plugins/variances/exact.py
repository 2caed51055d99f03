"""The reverse variance of a denoiser that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from harness.stock.variances._times import between, nodes, noisy

from harness import Count, Denoiser, Variance, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import Ready


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
        return None if denoiser.knows("posterior") else f"{denoiser!r} has no exact posterior"

    def fit(self, denoiser: Ready, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """`mean`: the isotropic c at `times`; the same data and noise at all of them keep it smooth in t."""
        if self.form != "isotropic":
            return {}
        x0 = data[: self.draws]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        times = nodes(denoiser.schedule)
        seen = ((noisy(denoiser.schedule, x0, noise, t), t) for t in times[1:].tolist())
        means = [float(_diagonal(denoiser, x, t).double().mean()) for x, t in seen]
        return {"times": times, "mean": torch.tensor([0.0, *means], dtype=torch.float64)}

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        """c in the chosen form."""
        if self.form == "isotropic":
            return float(between(fitted["times"], fitted["mean"], t))
        denoiser: Ready = fitted["denoiser"]
        return denoiser.posterior(x, t) if self.form == "full" else _diagonal(denoiser, x, t).view_as(x)


def _diagonal(denoiser: Ready, x: Tensor, t: float) -> Tensor:
    return denoiser.posterior(x, t).diagonal(dim1=-2, dim2=-1)


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [Exact]
