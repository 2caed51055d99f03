"""Normal draws and data followed along a sampler's times, for metrics of the map between them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from harness import DiffusionModel


def encoded(model: DiffusionModel, x0: Tensor, times: Tensor) -> Tensor:
    """Noise x_T [m, *shape] that DDIM run backward makes of data, along times [K + 1] that fall to 0.

    Euler's method for dz/dr = eps, z = x / sqrt(A_t), r = sqrt(B_t / A_t), upward in r (Song et al., 2021, section
    4.3). At r = 0 the flow of data that have a density is stationary, so the first step keeps z.
    """
    up = times.flip(0)
    ratios: list[float] = model.schedule.sigma(up).tolist()
    roots: list[float] = model.schedule.alpha_bar(up).sqrt().tolist()
    z = x0.double()
    for k, (r, further) in enumerate(pairwise(ratios)):
        if k:
            z = z + (further - r) * model.eps((roots[k] * z).to(x0), float(up[k])).double()
    return (roots[-1] * z).to(x0)


def finer(times: Tensor, parts: int) -> Tensor:
    """Times [parts K + 1] with every step between times [K + 1] divided evenly."""
    shares = torch.arange(parts, dtype=times.dtype) / parts
    inner = times[:-1, None] + (times[1:] - times[:-1])[:, None] * shares
    return torch.cat([inner.flatten(), times[-1:]])
