"""Requirements on a spacing: times decrease to 0 from T or below, in at most the requested steps, on every schedule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from harness.conformance import contract
from harness.conformance.stock import component
from harness.errors import BenchError, Skip
from harness.kinds import Schedule, Spacing

NAMES = ("linear", "cosine", "edm")
"""Schedules of 1,000 steps on which times are requested."""

STEPS = (1, 2, 5, 10, 50)

SHORT = 40
"""Last time of a short schedule on which every number of steps is requested."""


def decreasing(spacing: Spacing) -> tuple[bool | None, str]:
    """Times decrease strictly from T or below to 0, in at most `steps` steps; a number of steps may be refused."""
    counts, refused = set(), set()
    for schedule, steps, found in _every(spacing):
        if found is None:
            refused.add(steps)
            continue
        times = contract.times(spacing, found, schedule.num_train_timesteps, steps)
        counts |= {steps - (len(times) - 1)}
    if not counts:
        raise Skip(f"it refuses {', '.join(map(str, sorted(refused)))} steps of 1,000")
    merged = f", up to {max(counts)} steps fewer than asked for" if max(counts) else ""
    said = f"; refused: {', '.join(map(str, sorted(refused)))} steps" if refused else ""
    return True, f"decreasing: from T or below to 0 on {len(NAMES)} schedules{merged}{said}"


def precision(spacing: Spacing) -> tuple[bool | None, str]:
    """Times are a vector of float64."""
    for _, _, found in _every(spacing):
        if found is not None and getattr(found, "dtype", None) != torch.float64:
            return False, f"precision: {getattr(found, 'dtype', type(found).__name__)} came out, expected float64"
    return True, "precision: float64"


def bounds(spacing: Spacing) -> tuple[bool | None, str]:
    """More steps than the schedule has, and no steps, are refused."""
    schedule = component("schedule", "cosine", num_train_timesteps=SHORT)
    for steps in (SHORT + 1, 0):
        try:
            found = spacing.times(schedule, steps, _cost(schedule))
        except BenchError:
            continue
        return False, f"bounds: {len(found) - 1} steps came out where {steps} were asked of a schedule with {SHORT}"
    return True, f"bounds: {SHORT + 1} steps of a schedule with {SHORT} are refused, and none"


def all_steps(spacing: Spacing) -> tuple[bool | None, str]:
    """Every number of steps that a schedule has works."""
    schedule = component("schedule", "cosine", num_train_timesteps=SHORT)
    made, refused = [], []
    for steps in range(1, SHORT + 1):
        try:
            found = spacing.times(schedule, steps, _cost(schedule))
        except BenchError as reason:
            refused.append((steps, reason))
            continue
        made.append(len(contract.times(spacing, found, SHORT, steps)) - 1)
    if refused:
        return None, f"all_steps: {len(refused)} of {SHORT} numbers of steps are refused: {refused[0][1]}"
    exact = sum(count == steps for steps, count in enumerate(made, 1))
    return True, f"all_steps: 1 to {SHORT} of {SHORT} work, {exact} of them give exactly as many"


def repeats(spacing: Spacing) -> tuple[bool | None, str]:
    """The same arguments give the same times twice, and the costs stay unchanged."""
    schedule = component("schedule", "linear")
    cost = _cost(schedule)
    kept = contract.Untouched({"cost": cost}, exactly=True)
    for steps in STEPS:
        try:
            one, other = (torch.as_tensor(spacing.times(schedule, steps, cost)) for _ in range(2))
        except BenchError:
            continue
        kept.check(spacing, "times")
        if not torch.equal(one, other):
            return False, f"repeats: {steps} steps asked for twice are not the same"
    return True, "repeats: the same times twice"


def _every(spacing: Spacing) -> Iterator[tuple[Schedule, int, Any]]:
    """Yield each schedule and number of steps, and the times; None if the spacing refuses."""
    for name in NAMES:
        schedule: Schedule = component("schedule", name)
        cost = _cost(schedule) if spacing.costs else None
        for steps in STEPS:
            try:
                yield schedule, steps, spacing.times(schedule, steps, cost)
            except BenchError:
                yield schedule, steps, None


def _cost(schedule: Schedule) -> Tensor:
    """Return the cost of every allowed step, the square of its length in log sigma; infinity for others."""
    times = torch.arange(schedule.num_train_timesteps + 1, dtype=torch.float64)
    level = schedule.sigma(times.clamp(min=0.5)).log()
    cost = (level[:, None] - level).square()
    return cost.masked_fill(torch.ones_like(cost, dtype=torch.bool).triu(), math.inf)


CHECKS = (decreasing, precision, bounds, all_steps, repeats)
