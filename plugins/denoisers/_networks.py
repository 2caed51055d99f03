"""Small networks of a noisy sample and the fraction of time that has passed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Layer = TypeVar("Layer", bound=nn.Module)


class Waves(nn.Module):
    """Sines and cosines of 1000 t, t in [0, 1], periods 2 pi to 20000 pi (Vaswani et al., 2017). [b] -> [b, size]."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.waves = size // 2

    def forward(self, t: Tensor) -> Tensor:
        powers = torch.arange(self.waves, dtype=t.dtype, device=t.device) / self.waves
        angles = 1000 * t[:, None] * torch.exp(-math.log(10000) * powers)
        return torch.cat([angles.sin(), angles.cos()], -1)


def clock(width: int) -> nn.Sequential:
    """Learned embedding of the time: [b] -> [b, width]."""
    return nn.Sequential(Waves(64), nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())


class MLP(nn.Module):
    """Residual multi-layer perceptron over the flattened sample. (x [b, *shape], t / T [b]) -> [b, *shape].

    The output includes x itself, weighted by the time: layers narrower than the sample could not carry all of its
    noise.
    """

    def __init__(self, shape: Sequence[int], width: int = 192, depth: int = 3) -> None:
        super().__init__()
        size = math.prod(shape)
        self.time = clock(width)
        self.enter = nn.Linear(size, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.leave = _silent(nn.Linear(width, size))
        self.weigh = nn.Linear(width, size)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        flat, time = x.flatten(1), self.time(t)
        out: Tensor = self.leave(F.silu(self._inside(flat, time))) + self.weigh(time) * flat
        return out.view_as(x)

    def trunk(self, x: Tensor, t: Tensor) -> Tensor:
        """Input of the last layer: [b, width]."""
        return self._inside(x.flatten(1), self.time(t))

    def _inside(self, flat: Tensor, time: Tensor) -> Tensor:
        h: Tensor = self.enter(flat)
        for block in self.blocks:
            h = block(h, time)
        return h


class Block(nn.Module):
    """Two layers with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), _silent(nn.Linear(width, width))
        self.shift = nn.Linear(width, width)

    def forward(self, h: Tensor, time: Tensor) -> Tensor:
        out: Tensor = h + self.second(F.silu(self.first(self.norm(h)) + self.shift(time)))
        return out


class UNet(nn.Module):
    """Convolutions at three resolutions (Ronneberger et al., 2015). (x [b, c, h, w], t / T [b]) -> [b, c, h, w].

    Height and width are multiples of 4.
    """

    def __init__(self, shape: Sequence[int], width: int = 16) -> None:
        super().__init__()
        channels, wide, time = shape[0], 2 * width, 4 * width
        self.time = clock(time)
        self.enter = _conv(channels, width)
        self.down = nn.ModuleList([Stage(width, width, time), Stage(width, wide, time)])
        self.middle = Stage(wide, wide, time)
        self.up = nn.ModuleList([Stage(wide + wide, wide, time), Stage(wide + width, width, time)])
        self.leave = nn.Sequential(nn.GroupNorm(8, width), nn.SiLU(), _silent(_conv(width, channels)))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        out: Tensor = self.leave(self.trunk(x, t))
        return out

    def trunk(self, x: Tensor, t: Tensor) -> Tensor:
        """Input of the last layers: [b, width, h, w]."""
        time: Tensor = self.time(t)
        h: Tensor = self.enter(x)
        kept: list[Tensor] = []
        for stage in self.down:
            kept.append(stage(h, time))
            h = F.avg_pool2d(kept[-1], 2)
        h = self.middle(h, time)
        for stage in self.up:
            h = stage(torch.cat([F.interpolate(h, scale_factor=2.0), kept.pop()], 1), time)
        return h


class Stage(nn.Module):
    """Two convolutions with a residual connection (He et al., 2016)."""

    def __init__(self, channels: int, to: int, time: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, channels), nn.SiLU(), _conv(channels, to))
        self.shift = nn.Linear(time, to)
        self.second = nn.Sequential(nn.GroupNorm(8, to), nn.SiLU(), _silent(_conv(to, to)))
        self.straight = nn.Conv2d(channels, to, 1) if channels != to else nn.Identity()

    def forward(self, h: Tensor, time: Tensor) -> Tensor:
        inner = self.first(h) + self.shift(time)[:, :, None, None]
        out: Tensor = self.straight(h) + self.second(inner)
        return out


def _conv(channels: int, to: int) -> nn.Conv2d:
    return nn.Conv2d(channels, to, 3, padding=1)


def _silent(layer: Layer) -> Layer:
    """The layer with all weights 0, so that training starts from the residual connection."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
