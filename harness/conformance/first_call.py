"""Components tried once on a few examples before training, sampling or timing at length.

A trial changes no later number: the state of the global generators is restored.
"""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from harness.base import Component, attribute, dynamic_fields, replace_fields, schemas
from harness.conformance import contract
from harness.diffusion.model import DiffusionModel, NoiseSource
from harness.dynamic import Dynamic, GeometricSchedule, Learned, LinearSchedule
from harness.inputs import call_with_inputs
from harness.kinds import Dissimilarity, Loss, Sampler, Schedule, Transform, Variance

FEW = 5
"""Examples of a trial; one or more are added if a shape has the same size, so that axes cannot be confused."""


def few(*shape: int) -> int:
    """Return a number of examples that differs from every number in a shape."""
    return next(n for n in range(FEW, FEW + len(shape) + 1) if n not in shape)


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Restore the generators of torch, Python and numpy on exit, so that draws inside have no effect afterwards."""
    numpy: Any = sys.modules.get("numpy.random")
    before = random.getstate(), numpy.get_state() if numpy else None
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        random.setstate(before[0])
        if numpy:
            numpy.set_state(before[1])


def at_start(component: Any) -> Any:
    """Return the component with the initial values of its learned and scheduled fields."""
    values = {path: torch.tensor(start(value)) for path, value, _ in dynamic_fields(component)}
    return replace_fields(component, values) if values else component


def start(value: Dynamic) -> float:
    """Return the initial value of a learned or scheduled field."""
    assert isinstance(value, (Learned, GeometricSchedule, LinearSchedule))
    return value.start if isinstance(value, Learned) else value.first


def try_loss(loss: Loss, logits: Tensor, target: Tensor, inputs: Mapping[str, Any], task: str) -> None:
    """Try the loss, after every loss and transform that it holds, on logits [n, ..., classes] and their target.

    Raises BenchError for a value that is not one number for each of the n or a scalar, or that has no
    gradient; for a change of logits or target; and for invalid probabilities.
    """
    with undrawn(), torch.enable_grad():
        for part in _inside(at_start(loss)):
            if isinstance(part, Transform):
                _try_transform(part, logits.detach())
            elif isinstance(part, Loss):
                _try_loss(part, logits, target, inputs, task == "multilabel")


def _inside(component: Component) -> Iterator[Component]:
    """Yield every component inside a component, the innermost first, itself last."""
    for name in schemas(type(component)):
        value = getattr(component, attribute(name))
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Component):
                yield from _inside(each)
    yield component


def _try_loss(loss: Loss, logits: Tensor, target: Tensor, inputs: Mapping[str, Any], labels: bool) -> None:
    scores, goal = logits.detach().clone().requires_grad_() * 1, target.clone()  # as in training, no leaf
    kept = contract.Untouched({"logits": scores, "target": goal}, exactly=True)
    value = contract.loss_value(loss, call_with_inputs(loss, scores, goal, **inputs), len(logits))
    kept.check(loss)
    if bool(value.isnan().any()):
        raise contract.wrong(loss, "__call__", "returned NaN for finite logits", "numbers")
    if not value.requires_grad:
        raise contract.wrong(loss, "__call__", "returned numbers that no gradient comes from", "a function of logits")
    state = loss.state()
    if state:
        _try_state(loss, scores, goal, state, inputs)
        kept.check(loss, "with_state")
    probabilities(loss, logits.detach(), labels)
    log_probabilities(loss, logits.detach(), labels)


def _try_state(
    loss: Loss, logits: Tensor, target: Tensor, state: Mapping[str, Tensor], inputs: Mapping[str, Any]
) -> None:
    """Try one step of a loss with running state: its value, and the next state with the same shapes."""
    found = call_with_inputs(loss.with_state, logits, target, state=state, **inputs)
    if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], Mapping):
        raise contract.wrong(loss, "with_state", f"returned {contract.shown(found)}", "(loss, next state)")
    contract.loss_value(loss, found[0], len(logits), "with_state")
    shapes = [{k: [*getattr(v, "shape", ())] for k, v in part.items()} for part in (state, found[1])]
    if shapes[0] != shapes[1]:
        raise contract.wrong(loss, "with_state", f"returned the state {shapes[1]}", f"{shapes[0]}")


def probabilities(loss: Loss, logits: Tensor, labels: bool, complete: bool = True) -> Tensor | None:
    """Return a loss's probabilities of logits, checked; None if it defines none."""
    found = loss.probabilities(logits)
    if found is not None:
        contract.distribution(loss, "probabilities", found, logits, labels, complete)
    return found


def log_probabilities(loss: Loss, logits: Tensor, labels: bool, complete: bool = True) -> Tensor | None:
    """Return a loss's log-probabilities of logits, checked; None if it defines none."""
    found = loss.log_probabilities(logits)
    if found is not None:
        own = type(loss).log_probabilities is not Loss.log_probabilities
        method = "log_probabilities" if own else "probabilities"
        contract.tensor(loss, method, found, [tuple(logits.shape)], f" for logits {[*logits.shape]}")
        contract.distribution(loss, method, found.exp(), logits, labels, complete)
    return found


def try_transform(transform: Transform, logits: Tensor) -> None:
    """Try the transform on the first rows of logits [..., n]. Raises BenchError for an invalid distribution."""
    with undrawn(), torch.no_grad():
        _try_transform(at_start(transform), logits[: few(logits.shape[-1])])


def _try_transform(transform: Transform, logits: Tensor) -> None:
    given = logits.clone()
    kept = contract.Untouched({"logits": given}, exactly=True)
    contract.distribution(transform, "__call__", transform(given), logits)
    kept.check(transform)


def try_schedule(schedule: Schedule) -> None:
    """Ask for three levels of signal. Raises BenchError for invalid ones."""
    t = torch.tensor([1.0, schedule.num_train_timesteps / 2, schedule.num_train_timesteps], dtype=torch.float64)
    with undrawn(), torch.no_grad():
        contract.levels(schedule, schedule.alpha_bar(t), t)


def try_denoiser(model: DiffusionModel, t: float) -> tuple[Tensor, Tensor]:
    """Evaluate the network once at time t: x_t and the predicted noise. Raises BenchError for an invalid prediction."""
    x = NoiseSource(0)("trial", torch.zeros(few(*model.shape), *model.shape, device=model.device))
    with undrawn(), torch.no_grad():
        asked = model.denoiser.predict
        times = torch.full((len(x),), t, dtype=torch.float64, device=x.device)
        times = times.round().clamp(min=1) if model.discrete_time else times
        kept = float(model.schedule.alpha_bar(times[:1].cpu()))
        seen = x / kept**0.5 if model.denoiser.parameterization == "ve" else x
        guess = contract.prediction(model.denoiser, asked(model.net, seen, times), x)
        contract.finite(model.denoiser, "predict", guess, f" at t = {float(times[0]):g}")
        return x, model.eps(x, t)


def try_variance(variance: Variance, covariance: Callable[..., Any], x: Tensor, eps: Tensor, times: Tensor) -> None:
    """Try a bound estimate at x_t, for the first step. Raises BenchError for an invalid variance."""
    with undrawn(), torch.no_grad():
        t, s = float(times[0]), float(times[1])
        kept = contract.Untouched({"x": x, "eps": eps}, exactly=True)
        contract.estimate(variance, covariance(x, t, s, eps), x)
        kept.check(variance, "posterior_variance")


def try_sampler(
    sampler: Sampler, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor
) -> None:
    """Try two steps from the first to the last of the times. Raises BenchError for invalid samples.

    A sampler that does not support so few steps is checked when it is used.
    """
    ends = times[[0, len(times) // 2, -1]].unique().flip(0)
    with undrawn(), torch.no_grad(), warnings.catch_warnings(action="ignore"):
        try:
            found = sampler.sample(model, covariance, x.clone(), ends, NoiseSource(0))
        except Exception:
            return
    contract.finite(sampler, "sample", contract.samples(sampler, found, x))


def try_dissimilarity(dissimilarity: Dissimilarity, x: Tensor, y: Tensor | None = None) -> None:
    """Try points among themselves, or against others. Raises BenchError for an invalid table of dissimilarities.

    A dissimilarity that does not support so few points is checked when it is used.
    """
    with undrawn(), torch.no_grad():
        try:
            found = dissimilarity(x, y)
        except Exception:
            return
    contract.dissimilarities(dissimilarity, found, len(x), len(x if y is None else y))
