"""Reverse variance of a denoiser that knows it exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import torch

from harness import Denoiser, PositiveInt, Variance, hookimpl

from ._times import between, nodes, noisy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from harness import DiffusionModel


class Exact(Variance):
    """Exact posterior covariance, where the denoiser knows it.

    c = Cov[x_0 | x_t], the quantity that the other variances estimate. `form` is `full` [b, d, d]; `diagonal`
    [b, *shape], its diagonal; or `isotropic`, the number E[tr Cov[x_0 | x_t]] / d for each time, the best that does not
    depend on x_t (Bao et al., 2022, theorem 1). The expectation is taken once, over `draws` of x_t at some hundred
    whole times, and interpolated between them, within 1 % for the linear schedule.
    """

    reference = """
    @inproceedings{bao2022analytic, author = {Bao, Fan and Li, Chongxuan and Zhu, Jun and Zhang, Bo}, title =
      {{Analytic-DPM}: an Analytic Estimate of the Optimal Reverse Variance in Diffusion Probabilistic Models},
      booktitle = {International Conference on Learning Representations}, year = {2022}}"""

    form: Literal["isotropic", "diagonal", "full"] = "diagonal"
    draws: PositiveInt = 1000

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason for a denoiser without an exact posterior, or None."""
        return None if denoiser.supports("posterior_covariance") else f"{denoiser!r} has no exact posterior"

    def fit(self, model: DiffusionModel, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """Isotropic c, `mean`, at `times`; the same data and noise at all of them keep it smooth in t."""
        if self.form != "isotropic":
            return {}
        x0 = data[: self.draws]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        times = nodes(model.schedule)
        seen = ((noisy(model.schedule, x0, noise, t), t) for t in times[1:].tolist())
        means = [float(_diagonal(model, x, t).double().mean()) for x, t in seen]
        return {"times": times, "mean": torch.tensor([0.0, *means], dtype=torch.float64)}

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> float | Tensor:
        """Covariance c in the chosen form."""
        if self.form == "isotropic":
            return float(between(fitted["times"], fitted["mean"], t))
        return model.posterior_covariance(x, t) if self.form == "full" else _diagonal(model, x, t).view_as(x)


def _diagonal(model: DiffusionModel, x: Tensor, t: float) -> Tensor:
    return model.posterior_covariance(x, t).diagonal(dim1=-2, dim2=-1)


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [Exact]
