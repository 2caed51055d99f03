"""Components tried once on a few examples before training, sampling or timing at length.

A trial changes no later number: the state of the global generators is restored.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.base import Component, attribute, dynamic_fields, replace_fields, schemas
from harness.conformance import contract
from harness.conformance.draws import redrawn, repeats, undrawn
from harness.diffusion.model import DiffusionModel, NoiseSource
from harness.dynamic import Dynamic, GeometricSchedule, Learned, LinearSchedule
from harness.errors import BenchError, Skip
from harness.inputs import call_with_inputs
from harness.kinds import Dissimilarity, Feature, Loss, Metric, Prior, Sampler, Schedule, Transform, Variance
from harness.random import generator

FEW = 5
"""Examples of a trial; one or more are added if a shape has the same size, so that axes cannot be confused."""


def few(*shape: int) -> int:
    """Return a number of examples that differs from every number in a shape."""
    return next(n for n in range(FEW, FEW + len(shape) + 1) if n not in shape)


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
    with redrawn(), torch.enable_grad():
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
    draws = inputs.get("generator")
    start = draws.get_state() if draws is not None else None

    def called() -> Any:
        if draws is not None:
            draws.set_state(start)
        return call_with_inputs(loss, scores, goal, **inputs)

    with redrawn():
        value = contract.loss_value(loss, called(), len(logits))
    kept.check(loss)
    if bool(value.isnan().any()):
        raise contract.wrong(loss, "__call__", "returned NaN for finite logits", "numbers")
    (slope,) = torch.autograd.grad(value.sum(), scores, allow_unused=True) if value.requires_grad else (None,)
    if slope is None:
        raise contract.wrong(loss, "__call__", "returned numbers that no gradient comes from", "a function of logits")
    repeats(loss, "__call__", value, called)
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
    if found is None:
        _blame_transforms(loss, logits)
        return None
    try:
        contract.distribution(loss, "probabilities", found, logits, labels, complete)
    except BenchError:
        _blame_transforms(loss, logits)
        raise
    return found


def _blame_transforms(loss: Loss, logits: Tensor) -> None:
    """Raise BenchError for a transform inside a loss that returns no distribution, so that the loss is not blamed."""
    for part in _inside(loss):
        if isinstance(part, Transform):
            contract.distribution(part, "__call__", part(logits), logits, complete=False)


def log_probabilities(loss: Loss, logits: Tensor, labels: bool, complete: bool = True) -> Tensor | None:
    """Return a loss's log-probabilities of logits, checked; None if it defines none."""
    found = loss.log_probabilities(logits)
    if found is not None:
        own = type(loss).log_probabilities is not Loss.log_probabilities
        method = "log_probabilities" if own else "probabilities"
        contract.tensor(loss, method, found, [tuple(logits.shape)], f" for logits {[*logits.shape]}")
        contract.distribution(loss, method, found.exp(), logits, labels, complete)
    return found


def try_metric(metric: Metric, call: Callable[[], Any]) -> None:
    """Judge twice. Raises BenchError for two values that differ; one that has no value is checked when it has one."""
    try:
        with redrawn():
            found = call()
    except Skip:
        return
    if found is not None:
        repeats(metric, "__call__", torch.as_tensor(found), lambda: torch.as_tensor(call()))


def try_transform(transform: Transform, logits: Tensor) -> None:
    """Try the transform on the first rows of logits [..., n]. Raises BenchError for an invalid distribution."""
    with torch.no_grad():
        _try_transform(at_start(transform), logits[: few(logits.shape[-1])])


def _try_transform(transform: Transform, logits: Tensor) -> None:
    given = logits.clone()
    kept = contract.Untouched({"logits": given}, exactly=True)
    with redrawn():
        found = contract.distribution(transform, "__call__", transform(given), logits)
    kept.check(transform)
    repeats(transform, "__call__", found, lambda: transform(given))


def try_schedule(schedule: Schedule) -> None:
    """Ask for three levels of signal. Raises BenchError for invalid ones."""
    t = torch.tensor([1.0, schedule.num_train_timesteps / 2, schedule.num_train_timesteps], dtype=torch.float64)
    with undrawn(), torch.no_grad():
        found = schedule.alpha_bar(t)
        contract.levels(schedule, found, t)
        for one, value in zip(t.split(1), found.split(1), strict=True):
            repeats(schedule, "alpha_bar", value, partial(schedule.alpha_bar, one))


def try_denoiser(model: DiffusionModel, t: float) -> tuple[Tensor, Tensor]:
    """Evaluate the network once at time t: x_t and the predicted noise. Raises BenchError for an invalid prediction."""
    x = NoiseSource(0)("trial", torch.zeros(few(*model.shape), *model.shape, device=model.device))
    with undrawn(), torch.no_grad():
        times = torch.full((len(x),), t, dtype=torch.float64, device=x.device)
        times = times.round().clamp(min=1) if model.discrete_time else times
        kept = float(model.schedule.alpha_bar(times[:1].cpu()))
        seen = x / kept**0.5 if model.denoiser.parameterization == "ve" else x
        given = contract.Untouched({"x": seen, "times": times}, exactly=True)
        with redrawn():
            guess = contract.prediction(model.denoiser, model.unguided(seen, times), x)
        contract.finite(model.denoiser, "predict", guess, f" at t = {float(times[0]):g}")
        given.check(model.denoiser, "predict")
        repeats(model.denoiser, "predict", guess, lambda: model.unguided(seen, times))
        return x, model.eps(x, t)


def try_variance(variance: Variance, covariance: Callable[..., Any], x: Tensor, eps: Tensor, times: Tensor) -> None:
    """Try a bound estimate at x_t, for the first step. Raises BenchError for an invalid variance."""
    with undrawn(), torch.no_grad():
        t, s = float(times[0]), float(times[1])
        kept = contract.Untouched({"x": x, "eps": eps}, exactly=True)
        with redrawn():
            found = covariance(x, t, s, eps)
        contract.estimate(variance, found, x)
        kept.check(variance, "posterior_variance")
        if isinstance(found, Tensor):
            repeats(variance, "posterior_variance", found, lambda: covariance(x, t, s, eps))


def try_sampler(
    sampler: Sampler, model: DiffusionModel, covariance: Callable[..., Any] | None, x: Tensor, times: Tensor
) -> None:
    """Try two steps from the first to the last of the times. Raises BenchError for invalid samples, Skip as it does.

    A sampler that does not support so few steps is checked when it is used.
    """
    ends = times[[0, len(times) // 2, -1]].unique().flip(0)

    def sampled() -> Any:
        return sampler.sample(model, covariance, x.clone(), ends, NoiseSource(0))

    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        try:
            with redrawn():
                found = sampled()
        except Skip:
            raise
        except Exception:
            return
        repeats(sampler, "sample", contract.finite(sampler, "sample", contract.samples(sampler, found, x)), sampled)


def try_prior(prior: Prior, shape: Sequence[int]) -> None:
    """Draw a few starts twice from one stream. Raises BenchError for invalid ones, and for two that differ."""
    asked = (few(*shape), *shape)

    def drawn() -> Any:
        return prior.draw(asked, generator(0, "x"))

    with redrawn():
        found = drawn()
    repeats(prior, "draw", contract.drawn(prior, found, asked), drawn)


def try_feature(feature: Feature, prepared: Mapping[str, Tensor], x: Tensor) -> None:
    """Map a few samples twice. Raises BenchError for features that are invalid or differ, and for changed samples."""
    kept = contract.Untouched({"samples": x}, exactly=True)
    with torch.no_grad():
        with redrawn():
            found = contract.features(feature, feature(prepared, x), len(x))
        kept.check(feature)
        repeats(feature, "__call__", found, lambda: feature(prepared, x))


def try_dissimilarity(dissimilarity: Dissimilarity, x: Tensor, y: Tensor | None = None) -> None:
    """Try points among themselves, or against others. Raises BenchError for an invalid table of dissimilarities.

    A dissimilarity that does not support so few points is checked when it is used.
    """
    kept = contract.Untouched({"x": x, "y": y}, exactly=True)
    with torch.no_grad():
        try:
            with redrawn():
                found = dissimilarity(x, y)
        except Exception:
            return
        values = contract.dissimilarities(dissimilarity, found, len(x), len(x if y is None else y))
        kept.check(dissimilarity)
        repeats(dissimilarity, "__call__", values, lambda: dissimilarity(x, y))


def blame(dissimilarity: Dissimilarity, x: Tensor) -> None:
    """Raise BenchError if the first block of all points' dissimilarities is the reason why no neighbors were found."""
    block: Any = next(iter(dissimilarity.blocks(x)), None)
    own = type(dissimilarity).blocks is not Dissimilarity.blocks and isinstance(block, Tensor)
    contract.dissimilarities(dissimilarity, block, len(block) if own else len(x), len(x))
