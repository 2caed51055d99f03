"""Samplers of k-diffusion, and functions of their form."""

from __future__ import annotations

import bisect
import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.overrides import TorchFunctionMode

from harness import BenchError, Denoiser, DiffusionModel, NoiseSource, Sampler, hookimpl, near_miss

from ._brownian import Brownian, Draws
from ._inverse import Times

if TYPE_CHECKING:
    from torch import Tensor

GIVEN = ("model", "x", "sigmas")
"""Leading arguments of a sampler's function."""
SET = ("extra_args", "callback", "disable", "noise_sampler")
"""Arguments that are not options."""


class KDiffusion(Sampler):
    """A sampler function of k-diffusion, with this suite's denoiser.

    `function: sample_dpmpp_2m` is one of `k_diffusion.sampling`; any other of the form (model, x, sigmas, ...) is named
    by its import path. It gets x_0 + sigma e, a model that predicts x_0 from it and sigma [b], and the levels of the
    spacing, the last of them 0; `options` are its further arguments. Its noise is that of the seed: `noise_sampler`
    draws increments of a Brownian motion in sigma, `torch.randn_like` new draws. Raises BenchError for an unknown
    function or option, and for one that draws random numbers in another way.
    """

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    function: str = "sample_dpmpp_2m"
    options: dict[str, Any] | None = None

    def skip(self, denoiser: Denoiser) -> str | None:
        """Reason why the library or the function is not available, or None."""
        try:
            self._called()
        except BenchError as error:
            return error.what
        return None

    def steps_for_nfe(self, nfe: int) -> int:
        """Most steps that take no more evaluations, counted on zeros; 0 where even one does."""
        return bisect.bisect_right(range(1, nfe + 1), nfe, key=self._evaluations)

    def sample(
        self, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor, noise: NoiseSource
    ) -> Tensor:
        """Samples x_0 from x_T. Raises BenchError for times that do not decrease strictly to 0."""
        if times[-1] != 0 or not bool((times.diff() < 0).all()):
            raise BenchError(
                f"the times of a sampler must fall to 0, got {', '.join(f'{t:g}' for t in times.tolist())}"
            )
        sigmas = model.schedule.sigma(times).to(x)
        return self._run(
            _Denoiser(model, Times(model.schedule, sigmas, times)), x * (1 + sigmas[0] ** 2).sqrt(), sigmas, noise
        )

    def _run(self, model: _Denoiser | _Zeros, x: Tensor, sigmas: Tensor, noise: NoiseSource) -> Tensor:
        """x_0 by the function. Raises BenchError if it draws from a generator of torch itself."""
        function, draws = self._called(), Draws(noise)
        settings: dict[str, Any] = {
            "extra_args": {},
            "callback": None,
            "disable": True,
            "noise_sampler": Brownian(draws, x),
        }
        named = inspect.signature(function).parameters
        options = {name: value for name, value in settings.items() if name in named} | (self.options or {})
        before = _states(x)
        with _Seeded(draws) as model.seeded:
            found: Tensor = function(model, x, sigmas, **options)
        if not torch.equal(before, _states(x)):
            how = "torch.randn_like(x) or noise_sampler(sigma, sigma_next)"
            raise BenchError(f"{self.function} draws random numbers that are not those of the seed: draw by {how}")
        return found

    def _evaluations(self, steps: int) -> int:
        """Evaluations of the network in so many steps."""
        model, sigmas = _Zeros(), torch.logspace(1, -2, steps + 1)
        sigmas[-1] = 0
        with torch.no_grad():
            self._run(model, torch.zeros(1, 1, 8, 8), sigmas, NoiseSource(0))
        return model.evaluated

    def _called(self) -> Callable[..., Tensor]:
        """The function. Raises BenchError for one that needs more than it is given, and for an unknown option."""
        function: Callable[..., Tensor] = getattr(type(self), "imported", None) or _found(self.function)
        more = [*inspect.signature(function).parameters.values()][len(GIVEN) :]
        named = {each.name: each for each in more if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}
        own, known = self.options or {}, [name for name in named if name not in SET]
        if "sigma_max" in named:
            raise BenchError(f"{self.function} chooses its levels itself: it takes sigma_max, where sigmas are given")
        missing = [name for name in known if named[name].default is inspect.Parameter.empty and name not in own]
        if missing:
            raise BenchError(f"{self.function} needs the option {missing[0]!r}: options: {{{missing[0]}: ...}}")
        wrong = [name for name in own if name not in known]
        if wrong and len(named) == len(more):
            raise BenchError(f"{self.function} has no option {wrong[0]!r}{near_miss(wrong[0], known)}")
        return function


class _Denoiser:
    """(x_0 + sigma e [b, *shape], sigma [b]) -> the predicted x_0."""

    def __init__(self, model: DiffusionModel, times: Times) -> None:
        self._model, self._times = model, times
        self.seeded: _Seeded

    def __call__(self, x: Tensor, sigma: Tensor, **extra: Any) -> Tensor:
        with self.seeded.paused():
            levels = sigma.reshape(-1).tolist()
            times = [self._times(each) for each in levels]
            scale = (1 + sigma.reshape(-1, *[1] * (x.ndim - 1)) ** 2).sqrt()
            t = times[0] if len({*times}) == 1 else torch.tensor(times, dtype=torch.float64, device=x.device)
            return self._model.x0(x / scale, t)


class _Zeros:
    """A model that predicts 0 and counts how often."""

    def __init__(self) -> None:
        self.evaluated = 0
        self.seeded: _Seeded

    def __call__(self, x: Tensor, sigma: Tensor, **extra: Any) -> Tensor:
        self.evaluated += 1
        return torch.zeros_like(x)


class _Seeded(TorchFunctionMode):
    """Takes `torch.randn_like` from the stream of the seed."""

    def __init__(self, draws: Draws) -> None:
        super().__init__()
        self._draws = draws

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.randn_like:
            return self._draws(args[0])
        return function(*args, **(kwargs or {}))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Lets the network run at its own speed."""
        self.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            self.__enter__()  # type: ignore[no-untyped-call]


def _states(x: Tensor) -> Tensor:
    """State of torch's own generators of the CPU and of the device of x."""
    found = [torch.get_rng_state(), *([torch.cuda.get_rng_state(x.device)] if x.is_cuda else [])]
    return torch.cat(found)


def _found(name: str) -> Any:
    try:
        sampling = importlib.import_module("k_diffusion.sampling")
    except Exception as error:  # its own imports are many, and raise what they like
        why = str(error).split("\n")[0]
        raise BenchError(f"samplers of k-diffusion need the library: pip install k-diffusion ({why})") from error
    known = [word for word in dir(sampling) if word.startswith("sample_")]
    if name not in known:
        raise BenchError(f"k_diffusion.sampling has no function {name!r}{near_miss(name, known)}")
    return getattr(sampling, name)


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [KDiffusion]
