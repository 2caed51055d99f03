"""A denoiser loaded and ready to be sampled from, and the normal draws samplers use."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.errors import BenchError
from harness.kinds.denoising import Denoiser, Schedule
from harness.random import generator

BLOCK = 64
"""Samples that share a stream of noise: what a sample gets does not depend on how many are drawn at once."""


Level = Tensor | float
"""sqrt A_t or sqrt B_t: one for every sample, or one for all."""


class NoiseSource:
    """Normal draws by (seed, step, block of 64 samples). `first` is the number of the first sample of this batch."""

    def __init__(self, seed: int, first: int = 0) -> None:
        if first % BLOCK:
            raise BenchError(f"a batch of samples must start at a multiple of {BLOCK}, not at {first}")
        self.seed, self.first = seed, first

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """Draws in the shape, type and place of x [b, ...]; drawn in float32 on the CPU."""
        return self.drawn(step, len(x), lambda n, stream: torch.randn(n, *x.shape[1:], generator=stream)).to(x)

    def drawn(self, step: int | str, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """n of anything that `draw(64, generator)` draws, a block at a time, each with a stream of its own."""
        blocks = range(self.first // BLOCK, -(-(self.first + n) // BLOCK))
        return torch.cat([draw(BLOCK, generator(self.seed, "noise", step, block)) for block in blocks])[:n]

    def after(self, samples: int) -> NoiseSource:
        """The noise of the batch that starts so many samples later."""
        return NoiseSource(self.seed, self.first + samples)


class DiffusionModel:
    """A loaded denoiser: what samplers and variances are given.

    Whatever the network predicts, `eps` and `x0` agree: x_t = sqrt(A_t) x_0 + sqrt(B_t) eps. With `clip` the guess of
    x_0 is kept in the data's range and eps is what belongs to it. `evaluated` counts samples given to the network,
    `seconds` the time spent there.
    """

    def __init__(self, denoiser: Denoiser, net: Any, device: str = "cpu", clip_x0: bool = False) -> None:
        self.denoiser, self.net, self.device = denoiser, net, device
        self.schedule: Schedule = denoiser.schedule
        self.shape = tuple(denoiser.shape)
        self.data_range, self.discrete_time = denoiser.data_range, denoiser.discrete_time
        self.evaluated, self.seconds = 0, 0.0
        self._known_levels: dict[float, tuple[float, float]] = {}
        self._convert = CONVERT[denoiser.prediction_type]
        self._scaled = denoiser.parameterization == "ve"
        self._bounds = self.data_range if clip_x0 else None
        if clip_x0 and self.data_range is None:
            raise BenchError(f"{denoiser!r} has no range to clip to")

    def eps(self, x: Tensor, t: Tensor | float) -> Tensor:
        """The noise guessed in x_t [b, *shape] at one time, or one for each sample."""
        return self.x0_and_eps(x, t)[1]

    def x0(self, x: Tensor, t: Tensor | float) -> Tensor:
        """The data guessed in x_t: E[x_0 | x_t] where the denoiser is exact."""
        return self.x0_and_eps(x, t)[0]

    def x0_and_eps(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """(x_0, eps) from one evaluation of the network. Raises BenchError for a wrong shape or NaN."""
        times = self._times(x, t)
        a, b = self._levels(x, t, times)
        started = time.perf_counter()
        guess = self.denoiser.predict(self.net, x / a if self._scaled else x, times)
        self.evaluated, self.seconds = self.evaluated + len(x), self.seconds + time.perf_counter() - started
        if guess.shape != x.shape:
            raise BenchError(f"{self.denoiser!r} answered {[*guess.shape]} for samples {[*x.shape]}")
        x0, eps = self._convert(x, guess, a, b)
        if self._bounds is not None:
            x0 = x0.clamp(*self._bounds)
            eps = (x - a * x0) / b
        if not bool(torch.isfinite(x0.sum())):
            raise BenchError(f"{self.denoiser!r} answered NaN or infinity at t = {float(times.flatten()[0]):g}")
        return x0, eps

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Independent data [n, *shape]. Raises BenchError where there are none to be had."""
        return self._known(self.denoiser.sample(self.net, n, generator), "data to draw")

    def training_samples(self, n: int, generator: torch.Generator) -> Tensor | None:
        """n draws of what it was trained on [n, *shape], or else of the real data; None where there are neither."""
        found, data = self.denoiser.training_samples(self.net, n, generator), self.reference_data()
        if found is None and data is not None:
            found = data[torch.randint(len(data), (n,), generator=generator)]
        return None if found is None else found.to(self.device)

    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Exact mean [d] and covariance [d, d] of the data; None where nobody knows."""
        return self.denoiser.moments(self.net)

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log density [b] of data, nats. Raises BenchError where nobody knows."""
        return self._known(self.denoiser.log_prob(self.net, x), "an exact density")

    def hidden_features(self, x: Tensor, t: Tensor | float) -> Tensor | None:
        """What the network's last layer is given, [b, n] or [b, n, h, w]; None of one that has no layers."""
        times = self._times(x, t)
        return self.denoiser.hidden_features(self.net, x / self._levels(x, t, times)[0] if self._scaled else x, times)

    def posterior_covariance(self, x: Tensor, t: Tensor | float) -> Tensor:
        """Exact second moments of x_0 - x_0hat given x_t [b, d, d]. Raises BenchError where nobody knows."""
        return self._known(self.denoiser.posterior_covariance(self.net, x, self._times(x, t)), "an exact posterior")

    def squared_error(self, off: Tensor, x: Tensor, t: Tensor | float) -> Tensor:
        """E[(x_0 - x_0hat)^2 | x_t], float64: `posterior` [b, d, d] where it is known, else the square of `off` [b, d].

        `off` [b, *shape] is x_0 - x_0hat of the x_0 that x_t was made of.
        """
        known = self.denoiser.posterior_covariance(self.net, x, self._times(x, t))
        return off.flatten(1).double().square() if known is None else known.double()

    def sample_posterior(self, x: Tensor, t: Tensor | float, noise: Callable[..., Tensor]) -> Tensor:
        """An exact draw of x_0 given x_t. Raises BenchError where nobody can."""
        return self._known(
            self.denoiser.sample_posterior(self.net, x, self._times(x, t), noise), "an exact reverse kernel"
        )

    def reference_data(self) -> Tensor | None:
        """Real data to compare with; None for a target that is known exactly."""
        found = self.denoiser.reference_data(self.net)
        return None if found is None else found.to(self.device)

    def _times(self, x: Tensor, t: Tensor | float) -> Tensor:
        times = torch.as_tensor(t, dtype=torch.float64, device=x.device).expand(len(x))
        return times.round().clamp(min=1) if self.discrete_time else times

    def _levels(self, x: Tensor, t: Tensor | float, times: Tensor) -> tuple[Level, Level]:
        """sqrt A_t and sqrt B_t: numbers where one time stands for all samples, which every step asks for anew."""
        if isinstance(t, Tensor) and t.ndim:
            kept = self.schedule.alpha_bar(times)
            a, b = (part.sqrt().to(x).view(-1, *[1] * (x.ndim - 1)) for part in (kept, 1 - kept))
            return a, b
        t = float(t)
        if t not in self._known_levels:
            kept = self.schedule.alpha_bar(times[:1].cpu())
            self._known_levels[t] = (float(kept.sqrt()), float((1 - kept).sqrt()))
        return self._known_levels[t]

    def _known(self, value: Tensor | None, what: str) -> Tensor:
        if value is None:
            raise BenchError(f"{self.denoiser!r} has no {what}")
        return value


CONVERT: dict[str, Callable[[Tensor, Tensor, Level, Level], tuple[Tensor, Tensor]]] = {
    "epsilon": lambda x, guess, a, b: ((x - b * guess) / a, guess),
    "sample": lambda x, guess, a, b: (guess, (x - a * guess) / b),
    "v_prediction": lambda x, guess, a, b: (a * x - b * guess, b * x + a * guess),
    "score": lambda x, guess, a, b: ((x + b * b * guess) / a, -b * guess),
    "flow": lambda x, guess, a, b: _of_flow(x, guess, a, b),
}
"""(x_t, prediction, sqrt A_t, sqrt B_t) -> (x_0, eps)."""


def _of_flow(x: Tensor, guess: Tensor, a: Level, b: Level) -> tuple[Tensor, Tensor]:
    """The prediction is eps - x_0, of a network that goes straight from one to the other."""
    x0 = (x - b * guess) / (a + b)
    return x0, x0 + guess
