"""Requirements on a schedule: it starts at the data, signal only decreases, and equal times give equal values."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.conformance import contract
from harness.kinds import Schedule

BETWEEN = 4
"""Times checked between two whole ones."""

RELATIVE = 1e-6
"""Largest relative difference of sigma from sqrt(B / A), where 1 - A is well resolved."""

RESOLVED = 1e-9
"""B below which 1 - A_t in float64 no longer determines sigma."""


def start(schedule: Schedule) -> tuple[bool | None, str]:
    """At time 0 the data are unchanged."""
    kept, sigma = (float(found) for found in (_asked(schedule, _zero()), schedule.sigma(_zero())))
    return kept == 1 and sigma == 0, f"start: A_0 = {kept:.10g} and sigma_0 = {sigma:.3g}"


def falling(schedule: Schedule) -> tuple[bool | None, str]:
    """A_t decreases strictly between 0 and T, and stays in [0, 1]."""
    times = _times(schedule)
    kept = _asked(schedule, times)
    rises = (kept.diff() >= 0).nonzero()
    if len(rises):
        first = int(rises[0])
        a, b = float(times[first]), float(times[first + 1])
        return False, f"falling: A goes from {kept[first]:.6g} at t = {a:g} to {kept[first + 1]:.6g} at {b:g}"
    inside = bool(((kept >= 0) & (kept <= 1)).all())
    said = f"A falls from {kept[0]:.6g} to {kept[-1]:.3g} at T = {schedule.num_train_timesteps}"
    return inside, f"falling: {said}{'' if inside else ', outside [0, 1]'}"


def precision(schedule: Schedule) -> tuple[bool | None, str]:
    """Values are float64 for times in float64."""
    found = [method(_times(schedule)).dtype for method in (schedule.alpha_bar, schedule.sigma)]
    off = [str(dtype) for dtype in found if dtype != torch.float64]
    return not off, f"precision: {f'{off[0]} came out for float64 times' if off else 'float64'}"


def shape(schedule: Schedule) -> tuple[bool | None, str]:
    """Times of any shape work, each independently, and stay unchanged."""
    times = _times(schedule)[:12]
    kept = contract.Untouched({"times": times}, exactly=True)
    flat = _asked(schedule, times)
    for asked in (times.view(3, 4), times.view(2, 1, 6)):
        off = float((_asked(schedule, asked).flatten() - flat).abs().max())
        if off:
            return False, f"shape: A of times {[*asked.shape]} differs by {off:.2g} from that of the same in a row"
    alone = torch.stack([_asked(schedule, t) for t in times])
    kept.check(schedule, "alpha_bar")
    off = float((alone - flat).abs().max())
    return not off, f"shape: any, each time for itself{f', but one alone differs by {off:.2g}' if off else ''}"


def noise(schedule: Schedule) -> tuple[bool | None, str]:
    """sigma_t = sqrt(B_t / A_t), increasing."""
    times = _times(schedule)
    kept, sigma = _asked(schedule, times), schedule.sigma(times)
    known = (kept > 0) & (1 - kept > RESOLVED)
    right = ((1 - kept[known]) / kept[known]).sqrt()
    off = float((sigma[known] / right - 1).abs().max())
    rises = bool((sigma.diff() >= 0).all())
    found = f"within {off:.2g} of sqrt(B / A){'' if rises else ', but it falls somewhere'}"
    return off <= RELATIVE and rises, f"noise: sigma is {found}"


def repeats(schedule: Schedule) -> tuple[bool | None, str]:
    """The same times give the same values twice."""
    times = _times(schedule)
    same = torch.equal(_asked(schedule, times), _asked(schedule, times))
    return same, f"repeats: {'the same values' if same else 'other values'} at the second call"


def _zero() -> Tensor:
    return torch.zeros((), dtype=torch.float64)


def _times(schedule: Schedule) -> Tensor:
    """Return 0, T, and times between."""
    last = schedule.num_train_timesteps
    return torch.linspace(0, last, last * BETWEEN + 1, dtype=torch.float64)


def _asked(schedule: Schedule, times: Tensor) -> Tensor:
    found = schedule.alpha_bar(times)
    return contract.tensor(schedule, "alpha_bar", found, [tuple(times.shape)], f" for times {[*times.shape]}")


CHECKS = (start, falling, precision, shape, noise, repeats)
