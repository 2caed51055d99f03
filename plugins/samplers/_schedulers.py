"""Schedulers of the diffusers library on a schedule's noise levels: the x_t they visit, the answers they ask for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import BenchError, NoiseSource, Schedule

from ._brownian import Brownian, Draws
from ._inverse import SLACK, Times, finite_last_sigma

if TYPE_CHECKING:
    from torch import Tensor

PREDICTIONS = ("epsilon", "sample", "v_prediction")
"""Known values of a scheduler's `prediction_type`."""
OWN_LEVELS = "is not built on betas: its noise levels cannot be those of the denoiser's schedule"


class Driven(ABC):
    """A scheduler made for the noise levels of a schedule."""

    overridden: ClassVar[Sequence[str]] = ()
    """Words of its constructor in whose place stands the denoiser's schedule."""

    def __init__(self, scheduler: Any, schedule: Schedule) -> None:
        self.scheduler, self.schedule = scheduler, schedule

    @staticmethod
    @abstractmethod
    def arguments(config: dict[str, Any], schedule: Schedule) -> dict[str, Any]:
        """Arguments of its constructor: those of a suite's `config` and those of the schedule."""

    def start(self, x: Tensor, noise: NoiseSource) -> Tensor:
        """Start for x_T, with the seed's noise."""
        self._times = Times(self.schedule, self.sigmas())
        if hasattr(self.scheduler, "noise_sampler"):  # else seeded by a number of its own
            self.scheduler.noise_sampler = Brownian(Draws(noise), x)
        return x * self.spread()

    def sigmas(self) -> Tensor:
        """Levels at which it will ask, float64, as far as they are known before it starts."""
        levels: Tensor = self.scheduler.sigmas
        return levels.double()

    def spread(self) -> float:
        """Deviation of the point at which it starts."""
        return float(self.scheduler.init_noise_sigma)

    @abstractmethod
    def given(self, x: Tensor, t: Tensor) -> tuple[Tensor, float]:
        """x_t and its time, for the point x that the scheduler has reached and its own time."""

    @abstractmethod
    def answer(self, x: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """Prediction that the scheduler asks for at x, for the x_0 and eps that were predicted."""


class OnBetas(Driven):
    """A scheduler that is given betas: those of the schedule.

    Its own x is x_t, or x_0 + sigma e, which it scales to x_t itself. Its own t is our t + 1. Where it counts in sigma
    the network is asked at the time of that sigma, also where this is not a whole one.
    """

    overridden = (
        *("trained_betas", "num_train_timesteps", "beta_start", "beta_end", "beta_schedule"),
        *("rescale_betas_zero_snr", "snr_shift_scale"),
    )

    def __init__(self, scheduler: Any, schedule: Schedule) -> None:
        """Raises BenchError for other levels than those of the schedule, and for an unknown prediction type."""
        super().__init__(scheduler, schedule)
        name = type(scheduler).__name__
        if not hasattr(scheduler, "alphas_cumprod"):
            raise BenchError(f"the scheduler {name} {OWN_LEVELS}")
        if scheduler.config.get("use_flow_sigmas"):
            raise BenchError(f"{name}: use_flow_sigmas stands for other noise levels than those of the denoiser")
        if not torch.allclose(scheduler.alphas_cumprod.double(), _kept(schedule)[1:], rtol=SLACK, atol=1e-6):
            raise BenchError(f"{name} changes the betas that it is given: its noise levels are not the denoiser's")
        word = scheduler.config.get("prediction_type", "epsilon")
        if word not in PREDICTIONS:
            raise BenchError(f"{name}: prediction_type must be one of {', '.join(PREDICTIONS)}, not {word!r}")
        self._asked = word

    @staticmethod
    def arguments(config: dict[str, Any], schedule: Schedule) -> dict[str, Any]:
        """Settings beside those of betas, and the betas of the schedule."""
        kept = _kept(schedule)
        betas = (1 - kept[1:] / kept[:-1]).tolist()
        own = {name: value for name, value in config.items() if name not in OnBetas.overridden}
        ours = {"trained_betas": betas, "num_train_timesteps": len(betas), "snr_shift_scale": 1.0}
        ends = {"rescale_betas_zero_snr": not kept[-1]}  # which then only keeps the level at T finite
        return {"clip_sample": False, **own, **ours, **ends}

    def start(self, x: Tensor, noise: NoiseSource) -> Tensor:
        """Start for x_T; schedulers that count in whole times alone have no levels to find."""
        return super().start(x, noise) if hasattr(self.scheduler, "sigmas") else x * self.spread()

    def sigmas(self) -> Tensor:
        """Its levels, and those between them where it has such."""
        return torch.cat([super().sigmas(), getattr(self.scheduler, "sigmas_interpol", torch.empty(0)).double()])

    def given(self, x: Tensor, t: Tensor) -> tuple[Tensor, float]:
        """Its own scaling of x, and the time of the level that it scales from."""
        scaled = self.scheduler.scale_model_input(x, t)
        self._time = self._time_of(float(t) + 1, t)
        return scaled, self._time

    def answer(self, x: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """Prediction of its `prediction_type`."""
        if self._asked != "v_prediction":
            return eps if self._asked == "epsilon" else x0
        kept = float(self.schedule.alpha_bar(torch.tensor(self._time, dtype=torch.float64)))
        return math.sqrt(kept) * eps - math.sqrt(1 - kept) * x0

    def _time_of(self, named: float, t: Tensor) -> float:
        """Time `named` by the scheduler, unless it counts in sigma and is at the level of another time."""
        if not hasattr(self.scheduler, "sigmas"):
            return named
        sigma = self._level(t)
        if named == round(named):
            whole = float(self.schedule.sigma(torch.tensor(named, dtype=torch.float64)))
            if abs(whole / sigma - 1) < SLACK:
                return named
        return self._times(sigma)

    def _level(self, t: Tensor) -> float:
        """The sigma it is at: of those around its index the one from which it scales, as far as it scales at all."""
        scheduler, index = self.scheduler, self.scheduler.step_index or 0
        found = [scheduler.sigmas[index], getattr(scheduler, "mid_point_sigma", None)]
        between = getattr(scheduler, "sigmas_interpol", [])
        found += [between[k] for k in (index - 1, index) if 0 <= k < len(between)]
        levels = [float(each) for each in found if each is not None]
        scale = float(scheduler.scale_model_input(torch.ones(1, dtype=torch.float64), t))
        return levels[0] if scale == 1 else min(levels, key=lambda sigma: abs(1 / math.hypot(1, sigma) - scale))


class EDM(Driven):
    """A scheduler of EDM, with noise levels of its own: by default from that of T to that of t = 1.

    Its x is x_0 + sigma e. It is given the F for which its D = c_skip x + c_out F is the predicted x_0.
    """

    @staticmethod
    def arguments(config: dict[str, Any], schedule: Schedule) -> dict[str, Any]:
        """Levels of the schedule, and the settings of `config` over them."""
        first = float(schedule.sigma(torch.tensor(1.0, dtype=torch.float64)))
        return {"sigma_max": finite_last_sigma(schedule), "sigma_min": first, **config}

    def given(self, x: Tensor, t: Tensor) -> tuple[Tensor, float]:
        """x scaled to x_t, and its time."""
        self.scheduler.scale_model_input(x, t)  # which finds its index
        self._sigma = float(self.scheduler.sigmas[self.scheduler.step_index])
        return x / math.hypot(1, self._sigma), self._times(self._sigma)

    def answer(self, x: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """F by the scheduler's own preconditioning."""
        outputs, sigma = self.scheduler.precondition_outputs, self.scheduler.sigmas[self.scheduler.step_index]
        skipped, scale = outputs(x, torch.zeros_like(x), sigma), outputs(0.0, 1.0, sigma)
        wanted: Tensor = (x0 - skipped) / scale
        return wanted


class Flow(Driven):
    """A scheduler of rectified flow, whose levels s = sqrt(B_t) / (sqrt(A_t) + sqrt(B_t)) start at that of T.

    Its x is (1 - s) x_0 + s e, which is x_t but for a factor, and its velocity e - x_0.
    """

    names = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler", "FlowMatchLCMScheduler")

    @staticmethod
    def arguments(config: dict[str, Any], schedule: Schedule) -> dict[str, Any]:
        """Settings of `config` alone."""
        return config

    def __init__(self, scheduler: Any, schedule: Schedule) -> None:
        super().__init__(scheduler, schedule)
        self._last = finite_last_sigma(schedule)
        scheduler.sigma_max = self._last / (self._last + scheduler.config.shift)  # its shift makes it that of T

    def sigmas(self) -> Tensor:
        """Its levels s / (1 - s)."""
        s = super().sigmas()
        return s / (1 - s)

    def spread(self) -> float:
        """Deviation of (1 - s) x_0 + s e where x_t has deviation 1."""
        return math.hypot(1, self._last) / (1 + self._last)

    def given(self, x: Tensor, t: Tensor) -> tuple[Tensor, float]:
        """x scaled to x_t, and its time."""
        s = float(self.scheduler.sigmas[self.scheduler.step_index or 0])
        return x / math.hypot(1 - s, s), self._times(s / (1 - s) if s < 1 else math.inf)

    def answer(self, x: Tensor, x0: Tensor, eps: Tensor) -> Tensor:
        """Velocity."""
        return eps - x0


def form_of(cls: type, known: Sequence[str]) -> type[Driven]:
    """How a class of schedulers with these arguments is driven. Raises BenchError where it cannot be."""
    if "trained_betas" in known:
        return OnBetas
    if {"sigma_min", "sigma_max", "sigma_data", "sigma_schedule"} <= {*known}:
        return EDM
    if any(base.__name__ in Flow.names for base in cls.__mro__):
        return Flow
    raise BenchError(f"the scheduler {cls.__name__} {OWN_LEVELS}")


def _kept(schedule: Schedule) -> Tensor:
    """A_t at 0, 1, ..., T."""
    return schedule.alpha_bar(torch.arange(schedule.num_train_timesteps + 1, dtype=torch.float64))
