"""A variance: how far the data may be from what a denoiser predicts."""

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from harness import DiffusionModel, UnitInterval, Variance, hookimpl


class MeanSquaredError(Variance):
    """The mean squared error of the predicted data at one time, used at all times."""

    at: UnitInterval = 0.5

    def fit(
        self,
        model: DiffusionModel,
        data: Tensor,
        generator: Generator,
    ) -> dict[str, Tensor]:
        """Estimated once for a model: tensors by name."""
        t = self.at * model.schedule.num_train_timesteps
        kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
        eps = torch.randn(data.shape, generator=generator)
        predicted = model.x0(kept**0.5 * data + (1 - kept) ** 0.5 * eps, t)
        return {"error": (data - predicted).square().mean()}

    def posterior_variance(
        self,
        model: DiffusionModel,
        fitted: Mapping[str, Tensor],
        x_t: Tensor,
        t: float,
        s: float,
        eps: Tensor,
        /,
    ) -> Tensor:
        """Var[x_0 | x_t]: a number here; also [n, *shape], or a linear operator."""
        return fitted["error"]


@hookimpl
def components() -> list[type[Variance]]:
    """The component classes of this module."""
    return [MeanSquaredError]
