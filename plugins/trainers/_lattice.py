"""Global minimizers of a function of one or two numbers: a lattice, then the best of its points refined."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

REACH, FINE = 30.0, 0.05
"""Half of the lattice's width, and the distance from 0 up to which its points are evenly close."""
POINTS = {1: (1201,), 2: (401, 161)}
REFINED = 12
"""Number of lattice points that are refined."""
ROUNDING = 1e-13
"""Excess over the least value, relative to 1 or to that value, up to which two points are equally good."""


def minimizers(function: Callable[[Tensor], Tensor], size: int) -> Tensor:
    """Points [m, size] where `function` is least to rounding; it maps points [m, size] to values [m], in float64."""
    axes = [_axis(count) for count in POINTS[size]]
    points, gaps = (torch.cartesian_prod(*each).view(-1, size) for each in (axes, [_gaps(axis) for axis in axes]))
    values = function(points)
    lattice = values.view([len(axis) for axis in axes])
    valleys = (lattice <= _least_around(lattice)).flatten().nonzero()[:, 0]
    best = valleys[values[valleys].argsort()][:REFINED]
    refined = torch.stack([_refined(function, points[place], 2 * gaps[place]) for place in best])
    points, values = torch.cat([refined, points]), torch.cat([function(refined), values])
    least = values.min()
    return points[values <= least + ROUNDING * least.abs().clamp(min=1)]


def _axis(count: int) -> Tensor:
    """Numbers from -REACH to REACH, evenly spaced up to FINE from 0 and by equal ratios far from it."""
    width = torch.tensor(REACH / FINE, dtype=torch.float64).asinh()
    return FINE * (torch.linspace(-1, 1, count, dtype=torch.float64) * width).sinh()


def _gaps(axis: Tensor) -> Tensor:
    """Distance of each number to the farther neighbor."""
    gaps = axis.diff()
    return torch.maximum(torch.cat([gaps, gaps[-1:]]), torch.cat([gaps[:1], gaps]))


def _least_around(lattice: Tensor) -> Tensor:
    """Least value within one step of each lattice point."""
    pool = {1: torch.nn.functional.max_pool1d, 2: torch.nn.functional.max_pool2d}[lattice.ndim]
    return -pool(-lattice[None], 3, stride=1, padding=1)[0]


def _refined(function: Callable[[Tensor], Tensor], center: Tensor, width: Tensor) -> Tensor:
    """The minimizer next to a lattice point, by smaller and smaller lattices around the best point so far."""
    size = len(center)
    offsets = torch.linspace(-1, 1, {1: 17, 2: 9}[size], dtype=torch.float64)
    around = torch.cartesian_prod(*[offsets] * size).view(-1, size)
    least = function(center[None])[0]
    while bool((width > 1e-12 * center.abs().clamp(min=1)).any()):
        points = (center + width * around).clamp(-REACH, REACH)
        values = function(points)
        place = values.argmin()
        on_edge = bool(around[place].abs().max() == 1) and bool(values[place] < least)
        if values[place] < least:
            center, least = points[place], values[place]
        width = width if on_edge and bool((center.abs() < REACH).all()) else width / 2
    return center
