"""What figures show of one seed's samples: the first of them, real data beside them, and in the plane their paths."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.errors import Skip
from harness.ready import BLOCK, Ready
from harness.streams import generator

if TYPE_CHECKING:
    from harness.kinds import Metric
    from harness.protocols._samples import Samples

CURVE = "curve "
"""What the names of metrics' curves begin with."""
LEAST, MOST = 9, 2**20
"""As many samples as make up MOST numbers are kept: one block at most, and never fewer than LEAST."""
POINTS, SIDE = 512, 128
"""In the plane: real points, and the lattice on which the density is known."""


class Traced(Ready):
    """A denoiser that remembers where it was asked: `times` and `points`, one [b, *shape] for each time."""

    def __init__(self, ready: Ready) -> None:
        self.__dict__ |= ready.__dict__
        self.times: list[float] = []
        self.points: list[Tensor] = []

    def both(self, x: Tensor, t: Tensor | float) -> tuple[Tensor, Tensor]:
        """As asked."""
        self._remember(x, t)
        return super().both(x, t)

    def recover(self, x: Tensor, t: Tensor | float, noise: Any) -> Tensor:
        """As asked."""
        self._remember(x, t)
        return super().recover(x, t, noise)

    def _remember(self, x: Tensor, t: Tensor | float) -> None:
        self.times.append(float(torch.as_tensor(t).flatten()[0]))
        self.points.append(x.clone())


def exhibit(run: Samples, measure: Mapping[str, Metric]) -> dict[str, Tensor]:
    """`samples` [m, *shape], the first that were measured, and `real` [n, *shape] where there are data to be had.

    In the plane also `path` [k + 1, m, 2], from x_T through every point where the network was asked to the sample, with
    its `times` [k + 1], and `density` [SIDE, SIDE] (nats, rows upwards) over `extent` (left, right, bottom, top). Of
    metrics that have one, `curve METRIC` [2, n], a value at each time.
    """
    denoiser = run.denoiser
    plane = denoiser.shape == (2,)
    kept = min(BLOCK, max(LEAST, MOST // math.prod(denoiser.shape)))
    real = _real(denoiser, POINTS if plane else kept)
    found = {"samples": run.samples[:kept]} | ({} if real is None else {"real": real})
    if denoiser.range is not None:
        found["range"] = torch.tensor(denoiser.range)
    if plane:
        found |= _path(run, kept) | ({} if real is None else _density(denoiser, real))
    return found | _curves(run, measure)


def _curves(run: Samples, measure: Mapping[str, Metric]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for label, metric in measure.items():
        with contextlib.suppress(Skip):
            curve = run.asked(metric.curve) if hasattr(metric, "curve") else None
            found |= {} if curve is None else {f"{CURVE}{label}": curve}
    return found


def _real(denoiser: Ready, n: int) -> Tensor | None:
    """Some of the real data, or draws from a target that is known exactly; the same for every contender."""
    draws, data = generator(0, "exhibit"), denoiser.data()
    if data is None:
        return denoiser.denoiser.draw(denoiser.net, n, draws)
    return data[torch.randperm(len(data), generator=draws)[:n].to(data.device)]


def _path(run: Samples, kept: int) -> dict[str, Tensor]:
    """Drawn once more: what a sample is does not depend on how many are drawn at once, and nothing here is timed."""
    traced = Traced(run.denoiser)
    ends = run.sampled(traced, run.start[:kept], run.noise)
    return {"path": torch.stack([*traced.points, ends]), "times": torch.tensor([*traced.times, 0.0])}


def _density(denoiser: Ready, real: Tensor) -> dict[str, Tensor]:
    """Over a square that holds the real data and most of x_T."""
    half = max(1.1 * float(real.abs().max()), 2.5)
    side = torch.linspace(-half, half, SIDE)
    lattice = torch.cartesian_prod(side, side).flip(1).to(real)
    found = {"extent": torch.tensor([-half, half, -half, half])}
    rows = [denoiser.denoiser.log_density(denoiser.net, part) for part in torch.split(lattice, 8 * SIDE)]
    known = [row for row in rows if row is not None]
    return found | {"density": torch.cat(known).view(SIDE, SIDE)} if known else found
