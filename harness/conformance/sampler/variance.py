"""Conformance check of a sampler's use of the variance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from harness.conformance.sampler.contracts import case
from harness.conformance.sampler.response import sampled
from harness.diffusion.model import NoiseSource
from harness.kinds import Sampler

ESTIMATES: tuple[Callable[[Tensor], float | Tensor], ...] = (lambda x: 0.25, lambda x: torch.full_like(x, 0.25))
"""Estimates that a sampler is given: one number, and one for each element."""


def variance(sampler: Sampler) -> tuple[bool | None, str]:
    """A sampler that never calls `covariance` declares it: else a suite measures it once for every variance."""
    data, x, times = case()
    calls: list[float] = []
    for estimate in ESTIMATES:

        def covariance(x_t: Tensor, t: float, s: float, eps: Tensor) -> float | Tensor:
            calls.append(t)
            return estimate(x_t)  # noqa: B023  called before the next one

        sampled(sampler, data, x, times, NoiseSource(0), covariance)
    declared = "variance" in sampler.unused_kinds
    if calls:
        said = "although `unused_kinds` has it" if declared else f"{len(calls) // len(ESTIMATES)} times"
        return not declared, f"variance: asked for in {len(times) - 1} steps, {said}"
    if declared:
        return True, "variance: not used, as declared"
    return False, 'variance: it never uses the variance; declare `unused_kinds = ("variance",)`'
