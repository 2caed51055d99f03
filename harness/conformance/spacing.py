"""What a spacing must do: fall to 0 from T or below, in no more steps than asked for, on every schedule."""

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
"""Schedules of 1,000 steps that times are asked for."""

STEPS = (1, 2, 5, 10, 50)

SHORT = 40
"""The last time of a further schedule, of which every number of steps is asked for."""


def decreasing(spacing: Spacing) -> tuple[bool | None, str]:
    """Strictly decreasing from T or below to 0, in `steps` steps at most; it may refuse a number of steps."""
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
    """A vector of float64."""
    for _, _, found in _every(spacing):
        if found is not None and getattr(found, "dtype", None) != torch.float64:
            return False, f"precision: {getattr(found, 'dtype', type(found).__name__)} came out, expected float64"
    return True, "precision: float64"


def bounds(spacing: Spacing) -> tuple[bool | None, str]:
    """More steps than the schedule has are refused, and no steps at all."""
    schedule = component("schedule", "cosine", num_train_timesteps=SHORT)
    for steps in (SHORT + 1, 0):
        try:
            found = spacing.times(schedule, steps, _cost(schedule))
        except BenchError:
            continue
        return False, f"bounds: {len(found) - 1} steps came out where {steps} were asked of a schedule with {SHORT}"
    return True, f"bounds: {SHORT + 1} steps of a schedule with {SHORT} are refused, and none"


def all_steps(spacing: Spacing) -> tuple[bool | None, str]:
    """Every number of steps that a schedule has."""
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
    """Asked twice it answers twice the same, and leaves the costs as they are."""
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
    return True, "repeats: asked twice it answers the same"


def _every(spacing: Spacing) -> Iterator[tuple[Schedule, int, Any]]:
    """Each schedule and number of steps, and the times; None where it refuses."""
    for name in NAMES:
        schedule: Schedule = component("schedule", name)
        cost = _cost(schedule) if spacing.costs else None
        for steps in STEPS:
            try:
                yield schedule, steps, spacing.times(schedule, steps, cost)
            except BenchError:
                yield schedule, steps, None


def _cost(schedule: Schedule) -> Tensor:
    """A cost for every step that is taken, the square of how far it goes in log sigma; infinite for others."""
    times = torch.arange(schedule.num_train_timesteps + 1, dtype=torch.float64)
    level = schedule.sigma(times.clamp(min=0.5)).log()
    cost = (level[:, None] - level).square()
    return cost.masked_fill(torch.ones_like(cost, dtype=torch.bool).triu(), math.inf)


CHECKS = (decreasing, precision, bounds, all_steps, repeats)
