"""The schedulers of the library diffusers."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import BenchError, Denoiser, Noise, Ready, Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

ANSWERS = {"epsilon": 1, "sample": 0}
"""Which of (x_0, eps) a scheduler with that `prediction_type` is given."""


class Diffusers(Sampler):
    """Any scheduler of the library that is built on betas, unchanged, on our denoiser: `scheduler: DDIMScheduler`.

    `config` is given to its constructor, with the denoiser's schedule as `trained_betas` and, as clipping is the
    denoiser's business, `clip_sample: false`. It takes its own times, as many as the grid has steps, and its own number
    of evaluations; what it calls t is our t + 1. Random ones draw from a generator for each sample, so results do not
    depend on the batch. Raises BenchError for an unknown scheduler and one that cannot be driven so.
    """

    ignores: ClassVar[Sequence[str]] = ("variance", "grid")
    scheduler: str = "DDIMScheduler"
    config: dict[str, Any] | None = None

    def skip(self, denoiser: Denoiser) -> str | None:
        """Whether the library and the scheduler are there."""
        try:
            self.made()
        except BenchError as error:
            return error.what
        return None

    def steps_for(self, nfe: int) -> int:
        """The most steps that the scheduler itself says take no more; 0 where even one does."""
        scheduler = self.made()
        for steps in range(nfe, 0, -1):
            with contextlib.suppress(BenchError):
                if len(_times(scheduler, steps)) <= nfe:
                    return steps
        return 0

    def sample(
        self, denoiser: Ready, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor, noise: Noise
    ) -> Tensor:
        """x_0 from x_T, in as many steps as `times` has, at the scheduler's own times."""
        scheduler = self.made(denoiser.schedule)
        answer = ANSWERS.get(scheduler.config.get("prediction_type", "epsilon"))
        if answer is None:
            raise BenchError(f"{self!r}: prediction_type must be one of {', '.join(ANSWERS)}")
        random = "generator" in inspect.signature(scheduler.step).parameters
        options = {"generator": _generators(x, noise)} if random else {}
        visited = _times(scheduler, len(times) - 1)
        x = x * scheduler.init_noise_sigma
        for t in visited:
            guess = denoiser.both(scheduler.scale_model_input(x, t), float(t) + 1)[answer]
            with _quiet():
                x = scheduler.step(guess, t, x, return_dict=False, **options)[0]
        return x

    def made(self, schedule: Schedule | None = None) -> Any:
        """The scheduler, for the betas of a schedule. Raises BenchError where there is none."""
        cls = _found(self.scheduler)
        config: dict[str, Any] = {"clip_sample": False, **(self.config or {})}
        if schedule is not None:
            kept = schedule.alpha_bar(torch.arange(schedule.steps + 1, dtype=torch.float64))
            betas = (1 - kept[1:] / kept[:-1]).tolist()
            config |= {"trained_betas": betas, "num_train_timesteps": schedule.steps}
        known = inspect.signature(cls.__init__).parameters
        given = {name: value for name, value in config.items() if name in known or name in (self.config or {})}
        try:
            with _quiet():
                made = cls(**given)
        except (ImportError, TypeError, ValueError, NotImplementedError) as error:
            raise BenchError(f"diffusers cannot make {self.scheduler}: {' '.join(str(error).split())}") from error
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
    """The library converts tensors in a way that numpy 2 calls old."""
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


def _generators(x: Tensor, noise: Noise) -> list[torch.Generator]:
    """One for each sample, seeded by the bits of two draws."""
    seeds = noise("generators", x.new_empty(len(x), 2, dtype=torch.float32)).cpu().view(torch.int64)[:, 0]
    return [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [Diffusers]
