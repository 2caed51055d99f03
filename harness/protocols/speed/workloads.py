"""Workloads: one component of any kind as a call on generated inputs, the same for every contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from harness.base import Component, dynamic_fields
from harness.conformance import contract, first_call
from harness.diffusion.model import NoiseSource
from harness.errors import BenchError, Skip
from harness.inputs import accepted, required
from harness.kinds import Dissimilarity, Loss, Metric, Transform
from harness.protocols.speed.settings import KINDS, SpeedSettings
from harness.random import generator

if TYPE_CHECKING:
    from harness.kinds.evaluation import CellContext


SOME = 5
"""Number of points on which a dissimilarity is tried before it is timed."""


class Subject(NamedTuple):
    """A call `call(*inputs)` on `items` items; gradients are those of the first input, if it is `smooth`.

    `network` returns the seconds spent so far in a sampler's network.
    """

    call: Callable[..., Any]
    inputs: tuple[Tensor, ...]
    items: int
    smooth: bool = True
    network: Callable[[], float] | None = None


def kind_of(parts: Mapping[str, Component]) -> str:
    """Return the kind to time. Raises BenchError if there is none or the choice is ambiguous."""
    found = [kind for kind in KINDS if kind in parts]
    if not found:
        raise BenchError(f"speed needs something to time under vary: one of {', '.join(KINDS)}")
    if len(found) > 1 and found != ["sampler", "variance"]:
        raise BenchError(f"speed times one kind at a time, vary names {' and '.join(found)}")
    return found[0]


def subject(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return the case's workload on inputs of this type. Raises Skip for a component that cannot be timed."""
    kind = kind_of(case.components)
    if any(True for _ in dynamic_fields(case.components[kind])):
        raise Skip("learned and scheduled fields have no value to time outside training")
    made = MAKERS[kind](settings, case, dtype)
    if settings.pass_ != "forward" and not made.smooth:
        raise Skip(f"nothing is differentiated here: there is no pass {settings.pass_}")
    return made


def _drawn(case: CellContext, dtype: torch.dtype, *shape: int, name: str = "rows", scale: float = 1.0) -> Tensor:
    rows = torch.randn(shape, dtype=torch.float64, generator=generator(0, name))
    return (scale * rows).to(case.device, dtype)


def _transform(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    transform = case.components["transform"]
    assert isinstance(transform, Transform)
    first_call.try_transform(transform, _drawn(case, dtype, settings.batch, settings.n, scale=2.0))
    return Subject(transform, (_drawn(case, dtype, settings.batch, settings.n, scale=2.0),), settings.batch)


def _loss(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return logits [batch, n] or [batch, dim, n], targets of the loss's first task, and all inputs it requests."""
    loss = case.components["loss"]
    assert isinstance(loss, Loss)
    task, batch, n = (*loss.tasks, "classes")[0], settings.batch, settings.n
    rows = (batch, settings.dim) if task == "grouped" else (batch,)
    logits = _drawn(case, dtype, *rows, n, scale=2.0)
    draw = generator(0, "target")
    target = torch.randint(0, n, rows, generator=draw).to(case.device)
    if task == "multilabel":
        target = torch.randint(0, 2, (*rows, n), generator=draw).to(logits)
    index, features = torch.arange(batch), torch.zeros(batch, settings.dim).to(logits)
    counts = torch.full((n,), 100.0).to(logits)
    given: dict[str, object] = {"progress": 0.5, "step": 1, "epoch": 1, "generator": draw}
    given |= {"index": index, "features": features, "class_counts": counts}
    some = first_call.few(n, settings.dim)
    tried = {**given, "generator": generator(0, "trial"), "index": index[:some], "features": features[:some]}
    first_call.try_loss(loss, logits[:some], target[:some], tried, task)
    return Subject(_step(loss, given), (logits, target), batch)


def _step(loss: Loss, given: Mapping[str, object]) -> Callable[..., Tensor]:
    """Return the loss of (logits, target); for one with running state, its first step."""
    state = loss.state()
    if not state:
        return partial(loss, **accepted(loss, given, 2))
    step = partial(loss.with_state, state=state, **accepted(loss.with_state, given, 2))
    return lambda *inputs: step(*inputs)[0]


def _dissimilarity(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return points [batch, dim] against [n, dim]."""
    dissimilarity = case.components["dissimilarity"]
    assert isinstance(dissimilarity, Dissimilarity)
    x = _drawn(case, dtype, settings.batch, settings.dim, name="x")
    y = _drawn(case, dtype, settings.n, settings.dim, name="y")
    first_call.try_dissimilarity(dissimilarity, x[:SOME], y)
    return Subject(dissimilarity, (x, y), settings.batch)


def _metric(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return a metric's inputs: logits, probabilities, target of classes; or two clouds [batch, dim] and features."""
    metric = case.components["metric"]
    assert isinstance(metric, Metric)
    logits = _drawn(case, dtype, settings.batch, settings.n, scale=2.0)
    target = torch.randint(0, settings.n, (settings.batch,), generator=generator(0, "target")).to(case.device)
    one, other = (_drawn(case, dtype, settings.batch, settings.dim, name=name) for name in ("x", "y"))
    made: dict[str, object] = {"logits": logits, "target": target, "probabilities": logits.softmax(-1)}
    made["log_probabilities"] = logits.log_softmax(-1)
    made |= {"samples": one, "features": one, "reference": other, "reference_features": other, "moments": None}
    missing = [name for name in required(metric) if name not in made]
    if missing:
        raise Skip(f"{metric!r} asks for {', '.join(missing)}, which speed does not make up")
    return Subject(partial(metric, **accepted(metric, made)), (), settings.batch, smooth=False)


def _sampler(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return a sampler from the same x_T [batch, *shape] to x_0, in `steps` steps."""
    from harness.protocols.generation.protocol import Generation
    from harness.protocols.generation.session import Sampling

    asked = Generation(steps=settings.steps, samples=settings.batch, batch=settings.batch)
    session = Sampling(asked, case)
    run, ready, noise = session.samples(0), session.model, NoiseSource(0)
    start = _drawn(case, dtype, settings.batch, *ready.shape, name="x_T")
    call: Callable[[Tensor], Tensor] = lambda x: run.sampled(ready, x, noise)  # noqa: E731
    return Subject(call, (start,), settings.batch, smooth=False, network=lambda: ready.seconds)


def _variance(settings: SpeedSettings, case: CellContext, dtype: torch.dtype) -> Subject:
    """Return the estimate for one step in the middle of the schedule."""
    from harness.protocols.generation.parts import Parts
    from harness.protocols.generation.protocol import Generation

    parts = Parts(case, Generation())
    denoiser, covariance = parts.model, parts.bound()
    t = denoiser.schedule.num_train_timesteps / 2
    x = _drawn(case, dtype, settings.batch, *denoiser.shape, name="x_T")
    eps = denoiser.eps(x, t)
    contract.estimate(case.components["variance"], covariance(x, t, t - 1, eps), x)
    return Subject(lambda x: covariance(x, t, t - 1, eps), (x,), settings.batch, smooth=False)


MAKERS: Mapping[str, Callable[..., Subject]] = MappingProxyType(
    {
        "transform": _transform,
        "loss": _loss,
        "dissimilarity": _dissimilarity,
        "metric": _metric,
        "sampler": _sampler,
        "variance": _variance,
    }
)
