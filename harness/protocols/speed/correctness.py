"""Correctness of timed components: the error of the output relative to a reference in float64 or an integral."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.kinds import Transform
from harness.protocols.speed.workloads import Subject, kind_of, subject
from harness.protocols.transform.reference import error_of

if TYPE_CHECKING:
    from harness.base import Component
    from harness.kinds.evaluation import CellContext
    from harness.protocols.speed.settings import SpeedSettings


def error(settings: SpeedSettings, case: CellContext, timed: Subject) -> float | None:
    """Return the largest error of an output, as a share of the largest reference value if that is above 1.

    The reference is the baseline's output in float64 if all contenders compute the `same`; else the contender's own
    in float64, and for a transform that is the argmax of noise also an independent integration at some places. Returns
    None without a reference: for random outputs, and for samplers and variances.
    """
    kind = kind_of(case.components)
    if getattr(case.components[kind], "stochastic", False):
        return None
    if kind in ("sampler", "variance"):
        return (
            _distance(settings, timed, _exact(settings, case, case.baseline, timed))
            if settings.match_reference
            else None
        )
    found = _distance(
        settings, timed, _exact(settings, case, case.baseline if settings.match_reference else case.components, timed)
    )
    return max(found, _integrated(case, timed)) if kind == "transform" else found


def tolerated(settings: SpeedSettings) -> float:
    """Return the error explained by rounding: the suite's tolerance, by default the square root of the type's unit."""
    unit: float = torch.finfo(getattr(torch, settings.dtype)).eps
    return unit**0.5 if settings.tolerance is None else settings.tolerance


def _exact(settings: SpeedSettings, case: CellContext, parts: Mapping[str, Component], timed: Subject) -> Subject:
    """Return the same inputs in float64 on the processor; in their own type if a network takes part."""
    dtype = timed.inputs[0].dtype if "denoiser" in parts else torch.float64
    made = subject(settings, dataclasses.replace(case, components=parts, device="cpu"), dtype)
    inputs = (t.to("cpu", dtype) if t.is_floating_point() else t.cpu() for t in timed.inputs)
    return made._replace(inputs=tuple(inputs))


def _distance(settings: SpeedSettings, timed: Subject, exact: Subject) -> float:
    pairs = zip(_outputs(settings, timed), _outputs(settings, exact), strict=True)
    return max(_apart(found, expected) for found, expected in pairs)


def _apart(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return float("inf")
    unequal = found != expected  # equal infinities differ by 0
    if not bool(unequal.any()):
        return 0.0
    scale = torch.where(expected.isfinite(), expected.abs(), 1).max().clamp(min=1)
    return float((found - expected).abs()[unequal].max() / scale)


def _outputs(settings: SpeedSettings, one: Subject) -> list[Tensor]:
    """Return a call's output, and the gradient if it is timed too; in float64 on the processor."""
    if settings.pass_ == "forward":
        answers: list[Tensor] = [one.call(*one.inputs)]
    else:
        first = one.inputs[0].detach().clone().requires_grad_()
        answer = one.call(first, *one.inputs[1:])
        answers = [answer, torch.autograd.grad(answer.sum(), first)[0]]
    return [torch.as_tensor(answer).detach().double().cpu() for answer in answers]


def _integrated(case: CellContext, timed: Subject) -> float:
    transform = case.components["transform"]
    assert isinstance(transform, Transform)
    noise = transform.reference_noise()
    if noise is None:
        return 0.0
    (logits,) = timed.inputs
    return error_of(timed.call(logits).detach(), noise, logits.double().cpu(), 0)
