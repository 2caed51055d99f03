"""Learning rates over the steps of a training: constant, as a cosine, or by a scheduler of torch; after a warm-up."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import lr_scheduler

from harness import BenchError, near_miss

SET_BY_STEP = ("CyclicLR", "OneCycleLR")
"""Schedulers that change the rate after every step; all others do so after every epoch."""
LIMITS = ("epochs", "steps_per_epoch")
"""Arguments of OneCycleLR that give its length in place of `total_steps`."""


class Rates:
    """Factor of the learning rate at each step of a training, counted from 0.

    A scheduler of torch is given the rate 1, so that rates among its arguments are relative to `lr`. Arguments without
    a default are the length of the training (`total_steps`, `T_max`) and 1 (`max_lr`). The factor rises linearly over
    the steps of the warm-up. Raises BenchError for arguments that the scheduler does not take.
    """

    def __init__(self, settings: Any, steps: int) -> None:
        """`steps` is their number in an epoch."""
        self._schedule = settings.lr_schedule
        self._last = max(1, settings.epochs * steps - 1)
        self._warm = round(settings.warmup_epochs * steps)
        self._listed: list[float] | None = None
        if self._schedule not in ("constant", "cosine"):
            self._listed, self._each = _listed(self._schedule, settings.epochs, steps)

    def __call__(self, step: int) -> float:
        """Factor at a step."""
        factor = self._scheduled(step)
        return factor if step >= self._warm else factor * (step + 1) / self._warm

    def _scheduled(self, step: int) -> float:
        if self._listed is not None:
            return self._listed[step // self._each]
        return 0.5 * (1 + math.cos(math.pi * (step / self._last))) if self._schedule == "cosine" else 1.0


def _listed(schedule: str | Mapping[str, Any], epochs: int, steps: int) -> tuple[list[float], int]:
    """Factors by a scheduler of torch, and the number of steps that each is for."""
    name, given = _read(schedule)
    each = 1 if name in SET_BY_STEP else steps
    count = epochs * steps // each
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = getattr(lr_scheduler, name)
    factors = []
    try:
        rates = scheduler(optimizer, **_defaults(scheduler, given, count), **given)
        for _ in range(count):
            factors.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            rates.step()
    except Exception as error:  # torch checks its arguments in many ways
        if len(factors) < count:
            raise BenchError(f"lr_schedule: {name}: {type(error).__name__}: {str(error).splitlines()[0]}") from error
    return factors, each


def _read(schedule: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a scheduler. Raises BenchError for arguments that it does not take."""
    if isinstance(schedule, str):
        return schedule, {}
    if len(schedule) != 1:
        raise BenchError(f"lr_schedule: expected one scheduler and its arguments, got {', '.join(schedule) or 'none'}")
    name, given = next(iter(schedule.items()))
    if given is not None and not isinstance(given, Mapping):
        raise BenchError(f"lr_schedule: the arguments of {name} are a mapping, {{argument: value}}, got {given!r}")
    taken = _arguments(getattr(lr_scheduler, name))
    for word in given or {}:
        if word not in taken:
            raise BenchError(f"lr_schedule: {name} has no argument {word!r}{near_miss(word, taken)}")
    return name, dict(given or {})


def _arguments(scheduler: type) -> list[str]:
    """Arguments that a suite may give: those of the momentum are left out, since the rate alone changes."""
    names = list(inspect.signature(scheduler).parameters)
    return [name for name in names if name not in ("optimizer", "last_epoch") and "momentum" not in name]


def _defaults(scheduler: type, given: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Values of arguments that are not given."""
    known = {"T_max": count, "total_steps": count, "max_lr": 1.0, "cycle_momentum": False}
    if any(name in given for name in LIMITS):
        del known["total_steps"]
    taken = inspect.signature(scheduler).parameters
    return {name: value for name, value in known.items() if name in taken and name not in given}
