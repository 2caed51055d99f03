"""Generated inputs of the stock protocols' metrics, from an obviously better and an obviously worse contender."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.conformance.stock import component, target
from harness.diffusion.model import NoiseSource
from harness.inputs import required
from harness.kinds import Metric
from harness.neighbors import k_occurrence
from harness.protocols.accuracy import scoring
from harness.protocols.generation import settings as generation
from harness.protocols.hubness import settings as hubness
from harness.protocols.speed import settings as speed
from harness.protocols.transform.adversaries import adversaries
from harness.protocols.transform.settings import TransformSettings
from harness.random import generator

EXAMPLES, CLASSES, ITEMS = 40, 4, 3
SAMPLES, POINTS, NEAREST = 256, 60, 5

CONFIDENT = 9.0
"""Logit of the better contender's right answer, and of the worse contender's wrong answer."""

OFFERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "accuracy": scoring.METRIC_INPUTS,
        "generation": generation.METRIC_INPUTS,
        "hubness": hubness.METRIC_INPUTS,
        "speed": speed.METRIC_INPUTS,
        "transform": tuple(TransformSettings.metric_inputs),
    }
)
"""Protocol -> the names of the inputs it offers."""

WHOLE = frozenset({*scoring.WHOLE, "reference", "reference_features", "moments"})
"""Inputs that do not have one row per judged example."""


class Pair(NamedTuple):
    """One protocol's inputs by name, of a better and a worse contender; `rows` names those with a row per example."""

    protocol: str
    better: dict[str, Any]
    worse: dict[str, Any]
    rows: frozenset[str]


def pairs(metric: Metric) -> list[Pair]:
    """Return the inputs of every protocol that offers the metric's required inputs, for each of its tasks."""
    needed = set(required(metric))
    return [pair for protocol, names in OFFERS.items() if needed <= set(names) for pair in MAKERS[protocol](metric)]


def _accuracy(metric: Metric) -> list[Pair]:
    if "outcome" in required(metric):  # what a program reports has no fixed keys
        return []
    makers = {"classes": (_classes, _line), "multilabel": (_multilabel,), "grouped": (_grouped,)}
    return [maker() for task in metric.tasks or makers for maker in makers[task]]


def _classes() -> Pair:
    goal = torch.arange(EXAMPLES) % CLASSES
    logits = [
        CONFIDENT * F.one_hot(number % CLASSES, CLASSES) + _jitter(EXAMPLES, CLASSES) for number in (goal, goal + 1)
    ]
    return _classified([_of_classes(each, goal) for each in logits])


def _line() -> Pair:
    """Return one column, with two classes on both sides of 0."""
    inputs = torch.linspace(-1, 1, EXAMPLES)[:, None]
    goal = (inputs[:, 0] > 0).long()
    logits = [sign * CONFIDENT * torch.cat([-inputs, inputs], 1) for sign in (1, -1)]
    return _classified([_of_classes(each, goal) | {"inputs": inputs} for each in logits])


def _grouped() -> Pair:
    goal = torch.arange(EXAMPLES * ITEMS).view(EXAMPLES, ITEMS) % CLASSES
    extra = _jitter(EXAMPLES, ITEMS, CLASSES)
    logits = [CONFIDENT * F.one_hot(number % CLASSES, CLASSES) + extra for number in (goal, goal + 1)]
    return _classified([_of_classes(each, goal) for each in logits])


def _multilabel() -> Pair:
    goal = torch.randint(0, 2, (EXAMPLES, CLASSES), generator=generator(0, "labels")).float()
    logits = [CONFIDENT * sign * (2 * goal - 1) + _jitter(EXAMPLES, CLASSES) for sign in (1, -1)]
    return _classified([_offered(each, each.sigmoid(), F.logsigmoid(each), goal) for each in logits])


def _of_classes(logits: Tensor, goal: Tensor) -> dict[str, Any]:
    return _offered(logits, logits.softmax(-1), logits.log_softmax(-1), goal)


def _offered(logits: Tensor, p: Tensor, log_p: Tensor, goal: Tensor) -> dict[str, Any]:
    found = {"logits": logits, "probabilities": p, "log_probabilities": log_p, "target": goal, "inputs": logits.clone()}
    return found | {"validation_logits": logits.clone(), "validation_target": goal.clone()}


def _classified(both: list[dict[str, Any]]) -> Pair:
    return Pair("accuracy", both[0], both[1], frozenset({*both[0]} - WHOLE))


def _jitter(*shape: int) -> Tensor:
    """Return small logits that are all different."""
    return 0.1 * torch.randn(shape, generator=generator(0, "jitter"))


def _generation(metric: Metric) -> list[Pair]:
    """Return draws of normal data, and shifted and scaled ones; once with known moments, once without."""
    model = target("gaussian", mean=1.0, variance=0.25, dim=2)
    good, real = (model.sample(SAMPLES, generator(k, "data")) for k in range(2))
    sampler, times = component("sampler", "ddpm"), component("spacing", "even").times(model.schedule, 10)
    shared = {
        "model": model,
        "sampler": sampler,
        "covariance": component("variance", "exact").bind(model, {}),
        "noise": NoiseSource(0),
        "nfe": 10.0,
        "steps": 10,
        "times": times,
        "sampler_seconds": 0.5,
        "denoiser_seconds": 1.0,
        "reference": real,
        "reference_features": real.clone(),
    }
    found = []
    for moments in (model.moments(), None):
        both = [shared | {"samples": x, "features": x.clone(), "moments": moments} for x in (good, 2 * good + 3)]
        found.append(Pair("generation", both[0], both[1], frozenset({"samples", "features"})))
    return found


def _hubness(metric: Metric) -> list[Pair]:
    """Return points with their nearest neighbors; neither contender is better."""
    points = torch.randn(POINTS, 3, dtype=torch.float64, generator=generator(0, "points"))
    by = component("dissimilarity", "euclidean")
    near = by.nearest(points, NEAREST).indices
    given = {"points": points, "labels": (points[:, 0] > 0).long(), "neighbors": near, "k": NEAREST}
    given |= {"counts": k_occurrence(near, POINTS), "dissimilarity": by}
    return [Pair("hubness", given, given, frozenset())]


def _speed(metric: Metric) -> list[Pair]:
    """Return a fast, exact contender with little memory, and one that is the opposite."""
    better = dict.fromkeys(speed.METRIC_INPUTS, 1.0) | {"items": 100, "moved": 1000, "copy_seconds": 0.5}
    slow = {
        name: 4.0 for name in better if name.endswith("seconds") or name in ("latency", "bytes", "reserved", "error")
    }
    return [Pair("speed", better, better | slow | {"copy_seconds": 0.5}, frozenset())]


def _transform(metric: Metric) -> list[Pair]:
    """Return softmax, and a map from logits to no distribution."""
    logits = 2 * torch.randn(EXAMPLES, CLASSES, dtype=torch.float64, generator=generator(0, "logits"))

    def offered(transform: Callable[[Tensor], Tensor], error: float, seconds: float) -> dict[str, Any]:
        x = logits.clone().requires_grad_()
        gradient = torch.autograd.grad((transform(x) * logits.roll(1, 0)).sum(), x)[0]
        found = {"transform": transform, "logits": logits, "probabilities": transform(logits), "gradient": gradient}
        found |= {"adversaries": adversaries(CLASSES, 0), "error": error, "bytes": 1000.0 * seconds}
        return found | {"seconds": seconds, "backward_seconds": 2 * seconds, "softmax_seconds": 1.0}

    worse = offered(lambda s: 0.5 * s - 0.1 * s.roll(1, -1), 0.5, 4.0)
    return [Pair("transform", offered(component("transform", "softmax"), 1e-9, 1.0), worse, frozenset())]


MAKERS: Mapping[str, Callable[[Metric], list[Pair]]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "generation": _generation,
        "hubness": _hubness,
        "speed": _speed,
        "transform": _transform,
    }
)
