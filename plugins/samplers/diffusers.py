"""Schedulers of the diffusers library."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import BenchError, Denoiser, DiffusionModel, NoiseSource, Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

ANSWERS = {"epsilon": 1, "sample": 0}
"""Prediction of x_0 or eps that a scheduler with that `prediction_type` is given."""
BETAS = ("trained_betas", "num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
"""Words of a scheduler's constructor in whose place stand the betas of the denoiser's schedule."""


class Diffusers(Sampler):
    """Any scheduler of the diffusers library, with this suite's denoiser.

    For schedulers that are built on betas, used unchanged: `scheduler: DDIMScheduler`. `config` is passed to its
    constructor, with the denoiser's schedule as `trained_betas` and, as clipping is done by the denoiser,
    `clip_sample: false`. It uses its own times, as many as the spacing has steps, and its own number of
    evaluations; its t is our t + 1. Words of `config` for other betas have no effect, which the report says. Random
    schedulers draw from a generator for each sample, so results do not depend on the batch. Raises BenchError for
    an unknown scheduler and for one that cannot be used this way.
    """

    unused_kinds: ClassVar[Sequence[str]] = ("variance", "spacing")
    scheduler: str = "DDIMScheduler"
    config: dict[str, Any] | None = None

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason why the library or the scheduler is not available, or None."""
        try:
            self.made()
        except BenchError as error:
            return error.what
        return None

    def overridden(self) -> dict[str, str]:
        """Words of `config` for betas."""
        return {name: "the denoiser's schedule" for name in self.config or {} if name in BETAS}

    def steps_for_nfe(self, nfe: int) -> int:
        """Most steps that by the scheduler's own count take no more evaluations; 0 where even one does."""
        scheduler = self.made()
        for steps in range(nfe, 0, -1):
            with contextlib.suppress(BenchError):
                if len(_times(scheduler, steps)) <= nfe:
                    return steps
        return 0

    def sample(
        self, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor, noise: NoiseSource
    ) -> Tensor:
        """Samples x_0 from x_T, in as many steps as `times` has, at the scheduler's own times."""
        scheduler = self.made(model.schedule)
        answer = ANSWERS.get(scheduler.config.get("prediction_type", "epsilon"))
        if answer is None:
            raise BenchError(f"{self!r}: prediction_type must be one of {', '.join(ANSWERS)}")
        random = "generator" in inspect.signature(scheduler.step).parameters
        options = {"generator": _generators(x, noise)} if random else {}
        visited = _times(scheduler, len(times) - 1)
        x = x * scheduler.init_noise_sigma
        for t in visited:
            guess = model.x0_and_eps(scheduler.scale_model_input(x, t), float(t) + 1)[answer]
            with _quiet():
                x = scheduler.step(guess, t, x, return_dict=False, **options)[0]
        return x

    def made(self, schedule: Schedule | None = None) -> Any:
        """The scheduler for the betas of a schedule. Raises BenchError where there is none."""
        cls = getattr(type(self), "imported", None) or _found(self.scheduler)  # a class named by its import path
        config: dict[str, Any] = {"clip_sample": False, **(self.config or {})}
        if schedule is not None:
            kept = schedule.alpha_bar(torch.arange(schedule.num_train_timesteps + 1, dtype=torch.float64))
            betas = (1 - kept[1:] / kept[:-1]).tolist()
            config |= {"trained_betas": betas, "num_train_timesteps": schedule.num_train_timesteps}
        known = inspect.signature(cls.__init__).parameters
        given = {name: value for name, value in config.items() if name in known or name in (self.config or {})}
        try:
            with _quiet():
                made = cls(**given)
        except (ImportError, TypeError, ValueError, NotImplementedError) as error:
            raise BenchError(f"diffusers cannot build {self.scheduler}: {' '.join(str(error).split())}") from error
        if "trained_betas" not in known or not hasattr(made, "alphas_cumprod"):
            raise BenchError(f"the scheduler {self.scheduler} is not built on betas")
        return made


def _found(name: str) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise BenchError("schedulers of diffusers need the library: pip install diffusers") from error
    cls = getattr(diffusers, name, None)
    if not isinstance(cls, type) or not hasattr(cls, "step"):
        import difflib

        known = [word for word in dir(diffusers) if word.endswith("Scheduler")]
        near = difflib.get_close_matches(name, known, 1, 0)
        raise BenchError(f"diffusers has no scheduler {name!r}, did you mean {near[0]!r}?")
    return cls


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses numpy 2's deprecation warnings about how the library converts tensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _times(scheduler: Any, steps: int) -> Tensor:
    try:
        with _quiet():
            scheduler.set_timesteps(steps)
    except ValueError as error:
        raise BenchError(f"{type(scheduler).__name__} cannot take {steps} steps: {error}") from error
    times: Tensor = scheduler.timesteps
    return times


def _generators(x: Tensor, noise: NoiseSource) -> list[torch.Generator]:
    """Generators for the samples, seeded by the bits of two draws."""
    seeds = noise("generators", x.new_empty(len(x), 2, dtype=torch.float32)).cpu().view(torch.int64)[:, 0]
    return [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [Diffusers]
