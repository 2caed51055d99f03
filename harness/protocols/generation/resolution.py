"""Resolution of metrics: the change of a value that rounding of the samples may cause."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.inputs import requested_inputs
from harness.kinds import Metric
from harness.protocols.generation.samples import Samples
from harness.protocols.generation.settings import METRIC_INPUTS
from harness.protocols.judging import judged
from harness.random import generator

States = tuple[Tensor, Any, tuple[Any, ...]]
"""States of the global generators of torch, numpy and Python."""

UNITS = 8
"""Units in the last place of float32 by which samples are moved: samples of one sampler written in two ways differ by
some, since a sample is the result of several roundings at every step."""

FROM_SAMPLES = frozenset({"samples", "features"})
"""Inputs of a metric that depend on the samples."""


class Moved(Samples):
    """Samples moved by rounding errors, the same for all (`common`) or of random signs; all other inputs as before.

    An error in a sample is as large as that of the numbers it is made of: the largest sample, or the start.
    """

    def __init__(self, source: Samples, common: bool) -> None:
        self.__dict__.update({key: value for key, value in vars(source).items() if key != "features"})
        self._source, self._common = source, common

    @property
    def samples(self) -> Tensor:
        """Samples [n, *shape]."""
        x = self._source.samples
        scale = max(float(x.abs().max()), self._source.start_scale)
        size = UNITS * torch.finfo(torch.float32).eps * scale
        signs = 2 * torch.randint(0, 2, x.shape, generator=generator(0, "rounding"), dtype=torch.float64) - 1
        return (x.double() + size * (1 if self._common else signs.to(x.device))).to(x.dtype)


def resolution(
    metrics: Mapping[str, Metric], source: Samples, values: Mapping[str, list[float] | None]
) -> dict[str, float]:
    """Return label -> the largest change of a metric's value on moved samples, for metrics of samples.

    It is what decides for metrics that are not linear in samples (the squares of rounding errors), or small differences
    of large numbers. `values` are those on the samples themselves. A metric that cannot judge moved samples has none.
    """
    found: dict[str, float] = {}
    for label, metric in metrics.items():
        before = values.get(label)
        if before is not None and requested_inputs(metric, 0, METRIC_INPUTS) & FROM_SAMPLES:
            with contextlib.suppress(Exception):
                moves = (_change(metric, source, Moved(source, common), before[0]) for common in (True, False))
                found[label] = max(map(abs, moves))
    return found


def _change(metric: Metric, source: Samples, moved: Samples, before: float) -> float:
    """Return the value on moved samples less that on the samples.

    For a metric that draws from a global generator, which are left as they were, both are evaluated with equal draws.
    """
    states: States = torch.get_rng_state(), np.random.get_state(legacy=True), random.getstate()
    try:
        after = _value(metric, moved)
        if _drawn(states):
            _restore(states)
            before = _value(metric, source)
    finally:
        _restore(states)
    return after - before


def _value(metric: Metric, source: Samples) -> float:
    values, _ = judged({"": metric}, source, METRIC_INPUTS)
    found = values[""]
    return math.nan if found is None else found[0]


def _drawn(states: States) -> bool:
    """Return whether a global generator has been used since."""
    numbers: Any = np.random.get_state(legacy=True)
    before = states[1]
    same = numbers[2] == before[2] and np.array_equal(numbers[1], before[1])
    return not (same and torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[2])


def _restore(states: States) -> None:
    torch.set_rng_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])
