"""Data for figures of one seed's samples: the first samples, real data, and in the plane the sampling paths."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.diffusion.model import BLOCK, DiffusionModel
from harness.errors import Skip
from harness.inputs import gathered
from harness.protocols.generation.settings import METRIC_INPUTS
from harness.random import generator

if TYPE_CHECKING:
    from harness.kinds import Metric
    from harness.protocols.generation.samples import Samples

CURVE = "curve "
"""Prefix of the names of metrics' curves."""
LEAST, MOST = 9, 2**20
"""Samples with MOST numbers in all are kept: one block at most, and never fewer than LEAST."""
POINTS, SIDE = 512, 128
"""In the plane: number of real points, and side of the lattice on which the density is evaluated."""


class Traced(DiffusionModel):
    """A denoiser that records its evaluations: `times` and `points`, one [b, *shape] for each time."""

    def __init__(self, ready: DiffusionModel) -> None:
        self.__dict__ |= ready.__dict__
        self.times: list[float] = []
        self.points: list[Tensor] = []

    def x0_and_eps(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """Evaluate and record."""
        self._remember(x, t)
        return super().x0_and_eps(x, t)

    def sample_posterior(self, x: Tensor, t: Tensor | float, noise: Callable[..., Tensor]) -> Tensor:
        """Draw and record."""
        self._remember(x, t)
        return super().sample_posterior(x, t, noise)

    def _remember(self, x: Tensor, t: Tensor | float) -> None:
        self.times.append(float(torch.as_tensor(t).flatten()[0]))
        self.points.append(x.clone())


def figure_data(run: Samples, measure: Mapping[str, Metric]) -> dict[str, Tensor]:
    """Return `samples` [m, *shape], the first that were measured, and `real` [n, *shape] if there are data.

    In the plane also `path` [k + 1, m, 2], from x_T through every evaluation of the network to the sample, with
    its `times` [k + 1], and `density` [SIDE, SIDE] (nats, rows upwards) over `extent` (left, right, bottom, top). Of
    metrics with a curve, `curve METRIC` [2, n], a value at each time.
    """
    denoiser = run.model
    plane = denoiser.shape == (2,)
    kept = min(BLOCK, max(LEAST, MOST // math.prod(denoiser.shape)))
    real = _real(run, POINTS if plane else kept)
    found = {"samples": run.samples[:kept]} | ({} if real is None else {"real": real})
    if denoiser.data_range is not None:
        found["range"] = torch.tensor(denoiser.data_range)
    if plane:
        found |= _path(run, kept) | ({} if real is None else _density(denoiser, real))
    return found | _curves(run, measure)


def _curves(run: Samples, measure: Mapping[str, Metric]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for label, metric in measure.items():
        with contextlib.suppress(Skip):
            judge = getattr(metric, "curve", None)
            curve = judge(**gathered(judge, run, METRIC_INPUTS)) if judge is not None else None
            found |= {} if curve is None else {f"{CURVE}{label}": curve}
    return found


def _real(run: Samples, n: int) -> Tensor | None:
    """Return some of the real data, or draws from a target that is known exactly; the same for every contender."""
    denoiser, draws, data = run.model, generator(0, "exhibit"), run.real
    if data is None:
        return denoiser.denoiser.sample(denoiser.net, n, draws)
    return data[torch.randperm(len(data), generator=draws)[:n].to(data.device)]


def _path(run: Samples, kept: int) -> dict[str, Tensor]:
    """Draw the samples again: they do not depend on the batch size, and nothing here is timed."""
    traced = Traced(run.model)
    ends = run.sampled(traced, run.start[:kept], run.noise)
    return {"path": torch.stack([*traced.points, ends]), "times": torch.tensor([*traced.times, 0.0])}


def _density(denoiser: DiffusionModel, real: Tensor) -> dict[str, Tensor]:
    """Evaluate the density over a square that contains the real data and most of x_T."""
    half = max(1.1 * float(real.abs().max()), 2.5)
    side = torch.linspace(-half, half, SIDE)
    lattice = torch.cartesian_prod(side, side).flip(1).to(real)
    found = {"extent": torch.tensor([-half, half, -half, half])}
    rows = [denoiser.denoiser.log_prob(denoiser.net, part) for part in torch.split(lattice, 8 * SIDE)]
    known = [row for row in rows if row is not None]
    return found | {"density": torch.cat(known).view(SIDE, SIDE)} if known else found
