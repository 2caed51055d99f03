"""What is timed: one component of any kind as a call on made-up inputs, the same for every contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from harness.base import Component, dynamic_fields
from harness.errors import BenchError, Skip
from harness.inputs import accepted, required, wanted
from harness.ready import Noise
from harness.streams import generator

if TYPE_CHECKING:
    from harness.exchange import Case
    from harness.protocols.speed import Speed

KINDS = ("sampler", "variance", "loss", "transform", "dissimilarity", "metric")
"""What can be timed. Of a sampler and a variance it is the sampler, which makes use of the other."""


class Subject(NamedTuple):
    """`call(*inputs)` works through `items`; gradients are those of the first input, where it is `smooth`.

    `network` answers the seconds spent in the network of a sampler so far.
    """

    call: Callable[..., Any]
    inputs: tuple[Tensor, ...]
    items: int
    smooth: bool = True
    network: Callable[[], float] | None = None


def kind_of(parts: Mapping[str, Component]) -> str:
    """The kind that is timed. Raises BenchError where there is none, or nobody could say which."""
    found = [kind for kind in KINDS if kind in parts]
    if not found:
        raise BenchError(f"speed needs something to time under vary: one of {', '.join(KINDS)}")
    if len(found) > 1 and found != ["sampler", "variance"]:
        raise BenchError(f"speed times one kind at a time, vary names {' and '.join(found)}")
    return found[0]


def subject(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """The case's subject on inputs of this type. Raises Skip for what has no speed of its own."""
    kind = kind_of(case.parts)
    if any(True for _ in dynamic_fields(case.parts[kind])):
        raise Skip("what is learned or scheduled has no speed before there is a step")
    made = MAKERS[kind](settings, case, dtype)
    if settings.direction != "forward" and not made.smooth:
        raise Skip(f"nothing is differentiated here: there is no direction {settings.direction}")
    return made


def _drawn(case: Case, dtype: torch.dtype, *shape: int, name: str = "rows", scale: float = 1.0) -> Tensor:
    rows = torch.randn(shape, dtype=torch.float64, generator=generator(0, name))
    return (scale * rows).to(case.device, dtype)


def _transform(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    transform: Any = case.parts["transform"]
    return Subject(transform, (_drawn(case, dtype, settings.batch, settings.n, scale=2.0),), settings.batch)


def _loss(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """Logits [batch, n] or [batch, dim, n] and targets of the loss's first task; all it asks for by name is given."""
    loss: Any = case.parts["loss"]
    task, batch, n = (*loss.tasks, "classes")[0], settings.batch, settings.n
    rows = (batch, settings.dim) if task == "grouped" else (batch,)
    logits = _drawn(case, dtype, *rows, n, scale=2.0)
    draw = generator(0, "target")
    target = torch.randint(0, n, rows, generator=draw).to(case.device)
    if task == "multilabel":
        target = torch.randint(0, 2, (*rows, n), generator=draw).to(logits)
    given: dict[str, Any] = {"progress": 0.5, "step": 1, "epoch": 1, "generator": draw, "state": loss.state()}
    given |= {"index": torch.arange(batch), "features": torch.zeros(batch, settings.dim).to(logits)}
    given |= {"class_counts": torch.full((n,), 100.0).to(logits)}
    call = partial(loss, **accepted(loss, given, 2))
    return Subject(partial(_value, call) if "state" in wanted(loss) else call, (logits, target), batch)


def _value(call: Callable[..., tuple[Tensor, Any]], *inputs: Tensor) -> Tensor:
    return call(*inputs)[0]


def _dissimilarity(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """[batch, dim] against [n, dim]."""
    dissimilarity: Any = case.parts["dissimilarity"]
    x = _drawn(case, dtype, settings.batch, settings.dim, name="x")
    y = _drawn(case, dtype, settings.n, settings.dim, name="y")
    return Subject(dissimilarity, (x, y), settings.batch)


def _metric(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """Of classes: logits, probabilities, target. Of samples: two clouds [batch, dim] and their features."""
    metric: Any = case.parts["metric"]
    logits = _drawn(case, dtype, settings.batch, settings.n, scale=2.0)
    target = torch.randint(0, settings.n, (settings.batch,), generator=generator(0, "target")).to(case.device)
    one, other = (_drawn(case, dtype, settings.batch, settings.dim, name=name) for name in ("x", "y"))
    made: dict[str, Any] = {"logits": logits, "target": target, "probabilities": logits.softmax(-1)}
    made["log_probabilities"] = logits.log_softmax(-1)
    made |= {"samples": one, "features": one, "reference": other, "reference_features": other, "moments": None}
    missing = [name for name in required(metric) if name not in made]
    if missing:
        raise Skip(f"{metric!r} asks for {', '.join(missing)}, which speed does not make up")
    return Subject(partial(metric, **accepted(metric, made)), (), settings.batch, smooth=False)


def _sampler(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """From the same x_T [batch, *shape] to x_0, in `steps` steps."""
    from harness.protocols._samples import Samples
    from harness.protocols.generation import Generation, Sampling

    asked = Generation(steps=settings.steps, samples=settings.batch, batch=settings.batch)
    session = Sampling(asked, case)
    run, ready, noise = Samples(session, asked, 0, case.report), session.denoiser, Noise(0)
    start = _drawn(case, dtype, settings.batch, *ready.shape, name="x_T")
    call: Callable[[Tensor], Tensor] = lambda x: run.sampled(ready, x, noise)  # noqa: E731
    return Subject(call, (start,), settings.batch, smooth=False, network=lambda: ready.seconds)


def _variance(settings: Speed, case: Case, dtype: torch.dtype) -> Subject:
    """The estimate for one step in the middle of the schedule."""
    from harness.protocols._parts import Parts

    parts = Parts(case, clip=False)
    denoiser, covariance = parts.denoiser, parts.covariance
    assert covariance is not None
    t = denoiser.schedule.steps / 2
    x = _drawn(case, dtype, settings.batch, *denoiser.shape, name="x_T")
    eps = denoiser.eps(x, t)
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
