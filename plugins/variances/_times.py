"""Estimates that are computed at some times and needed at others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from harness import Schedule

NODES = 128
"""Number of times at which estimates are computed, fewer where they round to the same."""


def nodes(schedule: Schedule) -> Tensor:
    """Whole times from 0 to T, float64, denser toward 0, where c grows like a power of t."""
    spaced = schedule.num_train_timesteps * torch.linspace(0, 1, NODES, dtype=torch.float64).square()
    times: Tensor = spaced.ceil().unique()
    return times


def between(times: Tensor, values: Tensor, t: Tensor | float) -> Tensor:
    """Values [n, ...] known at the times [n], at others [...], by linear interpolation."""
    t = torch.as_tensor(t, dtype=times.dtype, device=times.device)
    right = torch.searchsorted(times, t).clamp(1, len(times) - 1)
    share = (t - times[right - 1]) / (times[right] - times[right - 1])
    share = share.view((*share.shape, *[1] * (values.ndim - 1))).to(values.dtype)
    return torch.lerp(values[right - 1], values[right], share)


def noisy(schedule: Schedule, x0: Tensor, noise: Tensor, t: Tensor | float) -> Tensor:
    """Noisy data x_t = sqrt(A_t) x_0 + sqrt(B_t) e at one time, or one for each sample."""
    kept = schedule.alpha_bar(torch.as_tensor(t, dtype=torch.float64, device=x0.device))
    kept = kept.view(*kept.shape, *[1] * (x0.ndim - 1)) if kept.ndim else kept
    return kept.sqrt().to(x0) * x0 + (1 - kept).sqrt().to(x0) * noise
