"""Share of points in the ball inside their box."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class InsideBall(Metric):
    """Share of points in the largest ball of their box.

    A description. points [n, d] -> scalar in [0, 1]. The box is the smallest around the points with sides along the
    axes, its sides taken as equally long. For points spread evenly over a cube it estimates the volume of the ball over
    that of the cube, pi^(d/2) / Gamma(d/2 + 1) / 2^d, which falls to 0 with d (Su, 2022, kexue.fm/archives/9147,
    eq. 1); the box of n points is smaller than the cube by about 2 / n of a side.
    """

    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, points: Tensor) -> float:
        low, high = points.amin(0), points.amax(0)
        half = (high - low) / 2
        place = (points - low - half) / torch.where(half > 0, half, 1)
        return float((place.norm(dim=1) <= 1).double().mean())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [InsideBall]
