"""Kinds that sample from a diffusion model: each once, denoisers and samplers in every way to declare attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from harness import (
    BenchError,
    Component,
    Denoiser,
    DiffusionModel,
    Feature,
    NoiseSource,
    NonNegative,
    Positive,
    PositiveInt,
    Prior,
    Sampler,
    Schedule,
    Spacing,
    UnitInterval,
    Variance,
    derived,
    hookimpl,
    named,
)


class Rational(Schedule):
    """A_t = 1 / (1 + strength (t / T)^2)."""

    strength: Positive = 1e4

    def alpha_bar(self, t: Tensor) -> Tensor:
        """A_t, float64."""
        return 1 / (1 + self.strength * (t.double() / self.num_train_timesteps).square())


class Halving(Spacing):
    """Every time is a share of the one before, and the last is 0."""

    share: Positive = 0.5

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """T, share T, ..., 0, float64."""
        if not 1 <= steps <= schedule.num_train_timesteps:
            raise BenchError(f"halving: {steps} steps, expected 1 to {schedule.num_train_timesteps}")
        powers = torch.arange(steps, dtype=torch.float64)
        return torch.cat([schedule.num_train_timesteps * self.share**powers, torch.zeros(1, dtype=torch.float64)])


class Normal(Denoiser):
    """Normal data: `shape` is set in the class."""

    spread: Positive = 1.0

    shape = (2,)
    data_range = (-10.0, 10.0)

    def load(self, device: str) -> Tensor:
        """The variance of each dimension."""
        return torch.full(self.shape, self.spread**2, device=device)

    def predict(self, net: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """E[eps | x_t]."""
        kept = self.schedule.alpha_bar(t).to(x).view(-1, *[1] * len(self.shape))
        return (1 - kept).sqrt() * x / (kept * net + 1 - kept)

    def sample(self, net: Tensor, n: int, generator: Generator) -> Tensor:
        """Independent data [n, *shape]."""
        return self.spread * torch.randn(n, *self.shape, generator=generator)


class Pictures(Denoiser):
    """Data that are 0: `shape` and other attributes are fields."""

    shape: tuple[int, ...] = (1, 4, 4)
    schedule: Schedule = named("rational")
    data_range: tuple[float, float] | None = (-1.0, 1.0)

    prediction_type = "sample"

    def load(self, device: str) -> None:
        """Nothing."""

    def predict(self, net: None, x: Tensor, t: Tensor) -> Tensor:
        """x_0."""
        return torch.zeros(len(x), *self.shape, device=x.device)

    def reference_data(self, net: None) -> Tensor:
        """A few of them."""
        return torch.zeros(8, *self.shape)


class Points(Denoiser):
    """Data that are 0 in some number of dimensions: `shape` follows from a field. It trains, for the sake of it."""

    dim: PositiveInt = 3

    shape = derived(lambda self: (self.dim,))

    def train(self, generator: Generator, on_progress: Callable[..., None]) -> dict[str, Tensor]:
        """The mean."""
        return {"mean": torch.zeros(self.shape)}

    def load(self, device: str, weights: Mapping[str, Tensor]) -> Tensor:
        """The mean, on the device."""
        return weights["mean"].to(device)

    def predict(self, net: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """E[eps | x_t]."""
        kept = self.schedule.alpha_bar(t).to(x)[:, None]
        return (x - kept.sqrt() * net) / (1 - kept).sqrt()


class Steps(Sampler):
    """DDIM, with the noise that is asked for."""

    noise_share: NonNegative = 0.0

    order = derived(lambda self: None if self.noise_share else 1)

    def sample(
        self,
        model: DiffusionModel,
        covariance: Callable[..., Any] | None,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor:
        """x_0 from x_T [b, *shape]."""
        for step, (t, s) in enumerate(zip(times[:-1].tolist(), times[1:].tolist(), strict=True)):
            x0, eps = model.x0_and_eps(x, t)
            kept = float(model.schedule.alpha_bar(torch.tensor(s, dtype=torch.float64)))
            added = self.noise_share * (1 - kept)
            x = kept**0.5 * x0 + (1 - kept - added) ** 0.5 * eps + added**0.5 * noise(step, x)
        return x


class Straight(Sampler):
    """Euler's method for the probability flow."""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    is_probability_flow: ClassVar[bool] = True
    order = 1

    def skip(self, denoiser: Denoiser) -> str | None:
        """Denoisers that know whole times only."""
        return "no way to times between whole ones" if denoiser.discrete_time else None

    def sample(self, model: DiffusionModel, covariance: object, x: Tensor, times: Tensor, noise: NoiseSource) -> Tensor:
        """x_0."""
        kept = model.schedule.alpha_bar(times)
        ratios = ((1 - kept) / kept).sqrt().tolist()
        z = x / float(kept[0].sqrt())
        for t, a, before, after in zip(times.tolist(), kept.tolist(), ratios, ratios[1:], strict=False):
            z = z + (after - before) * model.eps(a**0.5 * z, t)
        return z


class Average(Variance):
    """E|x_0 - x_0hat|^2 / d at some time, whatever t is."""

    at: UnitInterval = 0.5

    def fit(self, model: DiffusionModel, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """The mean square."""
        t = self.at * model.schedule.num_train_timesteps
        kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
        eps = torch.randn(data.shape, generator=generator)
        guess = model.x0(kept**0.5 * data + (1 - kept) ** 0.5 * eps, t)
        return {"mean": (data - guess).square().mean()}

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Tensor:
        """The mean square."""
        return fitted["mean"]


class OfEach(Variance):
    """E(x_0 - x_0hat)^2 of each element at T / 2, whatever t is."""

    def fit(self, model: DiffusionModel, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """The mean squares [*shape]."""
        t = model.schedule.num_train_timesteps / 2
        return {"means": (data - model.x0(data, t)).square().mean(0)}

    def posterior_variance(
        self, model: DiffusionModel, fitted: Mapping[str, Tensor], x: Tensor, t: float, s: float, eps: Tensor
    ) -> Tensor:
        """The mean squares, for each sample."""
        return fitted["means"].expand_as(x)


class Cube(Prior):
    """Uniform draws of mean 0 and variance 1."""

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws."""
        return (torch.rand(*shape, generator=generator) - 0.5) * 12**0.5


class Standardized(Feature):
    """Every dimension less its mean, over its deviation."""

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Both [d]."""
        flat = data.flatten(1)
        return {"mean": flat.mean(0), "deviation": flat.std(0)}

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return (x.flatten(1) - prepared["mean"]) / prepared["deviation"].clamp(min=1e-6)


@hookimpl
def components() -> list[type[Component]]:
    """The component classes of this module."""
    return [Rational, Halving, Normal, Pictures, Points, Steps, Straight, Average, OfEach, Cube, Standardized]
