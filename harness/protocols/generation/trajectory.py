"""Cost of a sampler's steps in likelihood, with the noise from an estimate of Cov[x_0 | x_t]."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from harness.diffusion.model import DiffusionModel
from harness.errors import Skip
from harness.kinds import Sampler
from harness.random import generator

if TYPE_CHECKING:
    from harness.kinds.diffusion import Covariance

VALUES, LEVELS = 4096, 32
"""Values of examples at which an estimate is evaluated, and groups of similar estimates represented by their means."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Ends of steps, as shares of the way from 1 to t - 1, at which an estimate that depends on the end is evaluated."""


class Steps(NamedTuple):
    """Steps from one t to n ends [n]: x_s has mean scale x_t + gamma x_0hat, variance added + share c.

    `left` is the variance of the encoder's x_s given x_t and x_0, whose mean is that with x_0 for x_0hat.
    """

    gamma: Tensor
    added: Tensor
    share: Tensor
    left: Tensor

    def losses(self, c: Tensor, missed: Tensor) -> Tensor:
        """Return twice the divergence of encoder and sampler per dimension [n]; `missed` is (x_0 - x_0hat)^2."""
        gamma, added, share, left = (part[:, None] for part in self)
        variance = added + share * c
        return ((variance / left).log() + (left + gamma.square() * missed) / variance - 1).mean(1)


def costs(
    sampler: Sampler,
    denoiser: DiffusionModel,
    covariance: Covariance,
    by_step: bool,
    data: Tensor,
    on_progress: Callable[..., None],
) -> Tensor:
    """Return costs of steps from t (row) to s (column), [T + 1, T + 1] float64: twice the loss per dimension.

    The loss is the step's share of the variational bound, with the noise from the estimate and the squared error of the
    prediction (Watson et al., 2021); E log(sigma^2 / lambda^2), sigma^2 = lambda^2 + gamma^2 c, for exact estimates
    (Bao et al., 2022, section 4). So an estimate that was clipped at its bound does not make a step cheap. Data are
    reached only from 1, at no cost: trajectories are 1 = tau_1 < ... < tau_K = T. Raises Skip for a sampler whose
    steps have no least variance.
    """
    times = torch.arange(denoiser.schedule.num_train_timesteps + 1, dtype=torch.float64)
    found = torch.full((len(times), len(times)), torch.inf, dtype=torch.float64)
    found[1, 0] = 0
    x0 = data[: max(16, VALUES // data[0].numel())]
    noise = torch.randn(x0.shape, generator=generator(0, "grid", "draws")).to(x0)
    for t in range(2, len(times)):
        steps = _steps(sampler, denoiser, times[1:t], t)
        kept = float(denoiser.schedule.alpha_bar(times[t]))
        x = kept**0.5 * x0 + (1 - kept) ** 0.5 * noise
        guess, eps = denoiser.x0_and_eps(x, float(t))
        missed = denoiser.squared_error(x0 - guess, x, float(t))
        ends = sorted({1 + round(part * (t - 2)) for part in SHARES}) if by_step else [t - 1]
        seen = [_groups(covariance(x, float(t), float(s), eps), missed, x) for s in ends]
        at = torch.tensor(ends, dtype=torch.float64)
        c, off = (_interpolated(at, torch.stack(part), times[1:t]) for part in zip(*seen, strict=True))
        found[t, 1:t] = steps.losses(c, off)
        on_progress(t, len(times))
    return found


def _steps(sampler: Sampler, denoiser: DiffusionModel, ends: Tensor, t: int) -> Steps:
    """Return the steps from t to each of the ends."""
    pairs = torch.stack([torch.full_like(ends, t), ends], 1).flatten()
    found = sampler.transition(denoiser.schedule, pairs)
    if found is not None and bool((found[2][::2] > 0).all()):
        scale, gamma, added, share = (part[::2] for part in found)
        start, end = 1 - denoiser.schedule.alpha_bar(pairs[:1]), 1 - denoiser.schedule.alpha_bar(ends)
        left = end - scale.square() * start
        if bool((left > 0).all()):
            return Steps(gamma, added, share, left)
    raise Skip(f"spacing: the steps of {sampler!r} have no least variance that their cost could be measured by")


def _groups(c: float | Tensor, missed: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return an estimate and (x_0 - x_0hat)^2 as means of groups of similar estimates; of matrices along their axes."""
    if isinstance(c, Tensor) and c.ndim == 3 and c.shape != x.shape:
        c, axes = torch.linalg.eigh(c.double())
        matrices = missed if missed.ndim == 3 else missed.diag_embed()
        missed = (axes * (matrices @ axes)).sum(1)
    missed = (missed.diagonal(dim1=1, dim2=2) if missed.ndim == 3 else missed).cpu().flatten()
    if not isinstance(c, Tensor) or c.ndim == 0:
        return torch.full((1,), float(c), dtype=torch.float64), missed.mean()[None]
    c, order = c.double().cpu().flatten().clamp(min=0).sort()
    both = torch.stack([c, missed[order]]).tensor_split(LEVELS, 1)
    return tuple(torch.stack([part.mean(1) for part in both], 1))


def _interpolated(at: Tensor, values: Tensor, where: Tensor) -> Tensor:
    """Interpolate rows of values [m, n] known at m places linearly at others [k] -> [k, n]."""
    if len(at) == 1:
        return values
    right = torch.searchsorted(at, where).clamp(1, len(at) - 1)
    share = (where - at[right - 1]) / (at[right] - at[right - 1])
    return torch.lerp(values[right - 1], values[right], share[:, None])
