"""Schedulers of the diffusers library."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import BenchError, Denoiser, DiffusionModel, NoiseSource, Sampler, Schedule, hookimpl, near_miss

from ._schedulers import Driven, form_of

if TYPE_CHECKING:
    from torch import Tensor

STEP = len(("self", "prediction", "t", "x"))
"""Leading arguments of a scheduler's step."""
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class Diffusers(Sampler):
    """Any scheduler of the diffusers library, with this suite's denoiser.

    Used unchanged: `scheduler: DDIMScheduler`. `config` is passed to its constructor. One that is built on betas gets
    those of the denoiser's schedule and, as clipping is done by the denoiser, `clip_sample: false`; its
    `prediction_type` says in what form it is given the prediction. The schedulers of EDM run from the level of T to
    that of t = 1 unless `config` names others, those of flow matching from the level of T. Each visits its own times,
    as many as the spacing has steps, and takes its own number of evaluations. Words of `config` for other betas have no
    effect, which the report says. Random schedulers draw from a generator for each sample, so results do not depend on
    the batch. Raises BenchError for an unknown scheduler and for one that cannot be used this way.
    """

    unused_kinds: ClassVar[Sequence[str]] = ("variance", "spacing")
    scheduler: str = "DDIMScheduler"
    config: dict[str, Any] | None = None

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason why the library or the scheduler is not available, or None."""
        try:
            self.made(denoiser.schedule)
        except BenchError as error:
            return error.what
        return None

    def overridden(self) -> dict[str, str]:
        """Words of `config` for betas."""
        cls = self._class()
        taken = form_of(cls, _words(cls)).overridden
        return {name: "the denoiser's schedule" for name in self.config or {} if name in taken}

    def steps_for_nfe(self, nfe: int) -> int:
        """Most steps that by the scheduler's own count take no more evaluations; 0 where even one does."""
        scheduler = self._built(self.config or {})
        for steps in range(nfe, 0, -1):
            with contextlib.suppress(BenchError):
                if len(_times(scheduler, steps)) <= nfe:
                    return steps
        return 0

    def sample(
        self, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor, noise: NoiseSource
    ) -> Tensor:
        """Samples x_0 from x_T, in as many steps as `times` has, at the scheduler's own times."""
        driven = self.made(model.schedule)
        step = driven.scheduler.step
        options = {"generator": _generators(x, noise)} if "generator" in inspect.signature(step).parameters else {}
        visited, dtype = _times(driven.scheduler, len(times) - 1), x.dtype
        x = driven.start(x, noise)
        for t in visited:
            x0, eps = model.x0_and_eps(*driven.given(x, t))
            with _quiet(), self._said():
                x = step(driven.answer(x, x0, eps), t, x, return_dict=False, **options)[0]
        return x.to(dtype)

    def made(self, schedule: Schedule) -> Driven:
        """The scheduler for the noise levels of a schedule. Raises BenchError where there is none."""
        cls = self._class()
        form = form_of(cls, _words(cls))
        driven = form(self._built(form.arguments(self.config or {}, schedule)), schedule)
        if _rises(driven.scheduler):
            raise BenchError(f"the scheduler {cls.__name__} runs from data to noise")
        return driven

    def _class(self) -> Any:
        """The scheduler's class. Raises BenchError where there is none whose step the harness can call."""
        cls = getattr(type(self), "imported", None) or _found(self.scheduler)  # a class named by its import path
        try:
            step = getattr(cls, "step", None)
        except ImportError as error:  # the library's stand-in for a class that needs another one
            raise BenchError(f"diffusers: {' '.join(str(error).split())}") from error
        if not callable(step):
            raise BenchError(f"the scheduler {self.scheduler} has no step")
        known = inspect.signature(step).parameters.values()
        more = [each.name for each in [*known][STEP:] if each.default is each.empty and each.kind in BY_NAME]
        if more:
            raise BenchError(f"the scheduler {self.scheduler} steps from more than a prediction, t and x: {more[0]}")
        return cls

    def _built(self, config: dict[str, Any]) -> Any:
        """An instance with those of the settings that it has, and all that the suite names."""
        cls, own = self._class(), self.config or {}
        known = _words(cls)
        wrong = next((name for name in own if name not in known), None)
        if wrong:
            raise BenchError(f"the scheduler {self.scheduler} has no setting {wrong!r}{near_miss(wrong, known)}")
        try:
            with _quiet():
                return cls(**{name: value for name, value in config.items() if name in known})
        except (ImportError, TypeError, ValueError, NotImplementedError) as error:
            raise BenchError(f"diffusers cannot build {self.scheduler}: {' '.join(str(error).split())}") from error

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Says what a step refuses, such as a `prediction_type`, in one line."""
        try:
            yield
        except (NotImplementedError, ValueError) as error:
            raise BenchError(f"the scheduler {self.scheduler}: {' '.join(str(error).split())}") from error


def _found(name: str) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise BenchError("schedulers of diffusers need the library: pip install diffusers") from error
    cls = getattr(diffusers, name, None)
    known = [word for word in dir(diffusers) if word.endswith("Scheduler")]
    if not isinstance(cls, type) or name not in known:
        raise BenchError(f"diffusers has no scheduler {name!r}{near_miss(name, known)}")
    return cls


def _words(cls: Any) -> list[str]:
    """Arguments of a class's constructor, and of those that it hands on to."""
    found: list[str] = []
    for base in cls.__mro__:
        if "__init__" in vars(base):
            given = inspect.signature(base.__init__).parameters
            found += [name for name, each in given.items() if each.kind is not inspect.Parameter.VAR_KEYWORD]
            if len(found) == len({*found, *given}):
                break
    return found[1:]


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


def _rises(scheduler: Any) -> bool:
    """Whether its times do, as far as it takes ten steps."""
    with contextlib.suppress(BenchError):
        times = _times(scheduler, 10)
        return bool(times[0] < times[-1])
    return False


def _generators(x: Tensor, noise: NoiseSource) -> list[torch.Generator]:
    """Generators for the samples, seeded by the bits of two draws."""
    seeds = noise("generators", x.new_empty(len(x), 2, dtype=torch.float32)).cpu().view(torch.int64)[:, 0]
    return [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [Diffusers]
