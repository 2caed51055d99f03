"""What every step of a sampler costs in likelihood, by an estimate of Cov[x_0 | x_t]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.errors import Skip
from harness.ready import Ready
from harness.streams import generator

VALUES, LEVELS = 1024, 32
"""Estimates seen at a time, and how many of them, evenly through their order, stand for all."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How far from 1 to t - 1 an estimate is looked at that depends on where the step ends."""


def costs(
    sampler: Any,
    denoiser: Ready,
    covariance: Callable[..., Any],
    by_step: bool,
    data: Tensor,
    report: Callable[..., None],
) -> Tensor:
    """What a step from t (row) to s (column) costs, [T + 1, T + 1] float64: twice its divergence a dimension.

    That is E log(sigma^2 / lambda^2), sigma^2 = lambda^2 + gamma^2 c, where the estimate is right (Bao et al., 2022,
    section 4). Data are reached from 1 alone, at no cost: trajectories are 1 = tau_1 < ... < tau_K = T. More noise
    never tells more of x_0: where the mean estimate falls with t, as one does that passed its bound and was cut to 0,
    it is held at what it was before. Raises Skip for a sampler whose steps have no least variance.
    """
    times = torch.arange(denoiser.schedule.steps + 1, dtype=torch.float64)
    found = torch.full((len(times), len(times)), torch.inf, dtype=torch.float64)
    found[1, 0] = 0
    x0 = data[: max(16, VALUES // data[0].numel())]
    noise = torch.randn(x0.shape, generator=generator(0, "grid", "draws")).to(x0)
    most = torch.zeros((), dtype=torch.float64)
    for t in range(2, len(times)):
        added, share = _variances(sampler, denoiser, times[1:t], t)
        kept = float(denoiser.schedule.alpha_bar(times[t]))
        x = kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
        eps = denoiser.eps(x, float(t))
        ends = sorted({1 + round(part * (t - 2)) for part in SHARES}) if by_step else [t - 1]
        seen = torch.stack([_levels(covariance(x, float(t), float(s), eps), x) for s in ends])
        most = torch.maximum(most, seen.mean())
        seen = seen * (most / seen.mean()) if seen.mean() > 0 else most.expand_as(seen)
        between = _interpolated(torch.tensor(ends, dtype=torch.float64), seen, times[1:t])
        found[t, 1:t] = torch.log1p(share[:, None] * between / added[:, None]).mean(1)
        report(t, len(times))
    return found


def _variances(sampler: Any, denoiser: Ready, ends: Tensor, t: int) -> tuple[Tensor, Tensor]:
    """lambda^2 and gamma^2 of the steps from t to each of the ends."""
    pairs = torch.stack([torch.full_like(ends, t), ends], 1).flatten()
    found = sampler.transition(denoiser.schedule, pairs)
    if found is None or not bool((found[2][::2] > 0).all()):
        raise Skip(f"grid: the steps of {sampler!r} have no least variance that their cost could be measured by")
    return found[2][::2], found[3][::2]


def _levels(c: Any, x: Tensor) -> Tensor:
    """[LEVELS] values of an estimate, or its one value; of matrices those along their axes."""
    if not isinstance(c, Tensor) or c.ndim == 0:
        return torch.full((LEVELS,), float(c), dtype=torch.float64)
    matrices = c.ndim == 3 and c.shape != x.shape
    values = (torch.linalg.eigvalsh(c) if matrices else c).double().cpu().flatten().clamp(min=0).sort().values
    return values[((torch.arange(LEVELS) + 0.5) / LEVELS * len(values)).long()]


def _interpolated(at: Tensor, values: Tensor, where: Tensor) -> Tensor:
    """Rows of values [m, n] known at m places, at others [k] -> [k, n]; a straight line between neighbours."""
    if len(at) == 1:
        return values.expand(len(where), -1)
    right = torch.searchsorted(at, where).clamp(1, len(at) - 1)
    share = (where - at[right - 1]) / (at[right] - at[right - 1])
    return torch.lerp(values[right - 1], values[right], share[:, None])
