"""The exact output law of a linear sampler on normal data, with nothing drawn: it is asked for its response to units.

Where the network is linear, x_0 of most samplers is an affine function of x_T and of every draw of noise. Its
coefficients are what comes out for unit vectors; then the law of x_0 follows from that of x_T.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.conformance import contract
from harness.diffusion.model import DiffusionModel, NoiseSource
from harness.errors import BenchError
from harness.kinds import Sampler
from harness.random import generator

CHECKS = 4
"""Random inputs whose outputs are compared with what the response foretells."""

SUPERPOSED = 1e-5
"""How far they may be from it, relative: who rounds to float32 on the way is linear, who clips is not."""

Key = tuple[int | str, tuple[int, ...]]
"""One draw of noise: the step, or name, by which it is asked for, and the shape of a sample's share."""


class NotLinear(Exception):
    """The sampler is no affine function of x_T and the normal draws of its noise; the text says how that showed."""


class Response(NamedTuple):
    """x_0 = offset + x_T start + z noise, flattened, for standard normal z; float64."""

    offset: Tensor
    """[d]"""
    start: Tensor
    """[d, d]"""
    noise: Tensor
    """[draws, d]"""

    def law(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [d] and covariance [d, d] of x_0 where x_T has these."""
        return self.offset + mean @ self.start, self.start.T @ covariance @ self.start + self.noise.T @ self.noise


def respond(
    sampler: Sampler, denoiser: DiffusionModel, times: Tensor, covariance: Callable[..., Any] | None = None
) -> Response:
    """The response of a sampler at times [K + 1]. Raises NotLinear where it has none."""
    size = math.prod(denoiser.shape)
    ledger = Ledger()
    sampled(sampler, denoiser, torch.zeros(1, *denoiser.shape, dtype=torch.float64), times, ledger, covariance)
    width = size + ledger.draws
    random = torch.randn(CHECKS, width, dtype=torch.float64, generator=generator(0, "superposition"))
    rows = torch.cat([torch.zeros(1, width).double(), torch.eye(width).double(), random])
    start = rows[:, :size].reshape(-1, *denoiser.shape)
    found = sampled(sampler, denoiser, start, times, Units(rows[:, size:], ledger.asked), covariance).flatten(1)
    offset, response = found[0], found[1:-CHECKS] - found[0]
    foretold = offset + random @ response
    off = float((found[-CHECKS:] - foretold).abs().max() / foretold.abs().max())
    if not off <= SUPERPOSED:
        raise NotLinear(f"twice the input is not twice the output, by {off:.1g}")
    return Response(offset, response[:size], response[size:])


def sampled(
    sampler: Sampler,
    denoiser: DiffusionModel,
    x: Tensor,
    times: Tensor,
    noise: NoiseSource,
    covariance: Callable[..., Any] | None = None,
) -> Tensor:
    """x_0 from copies of x_T and times. Raises BenchError for samples of another shape or that are not finite."""
    with torch.no_grad():
        found: Tensor = sampler.sample(denoiser, covariance, x.clone(), times.clone(), noise)
    contract.samples(sampler, found, x)
    if not bool(torch.isfinite(found).all()):
        raise BenchError(f"samples in {len(times) - 1} steps are not finite")
    return found


class Ledger(NoiseSource):
    """Zeros, and a record of what was asked for: key -> (first column, columns)."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked: dict[Key, tuple[int, int]] = {}

    @property
    def draws(self) -> int:
        """Normal numbers asked for, for each sample."""
        return sum(columns for _, columns in self.asked.values())

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """Zeros like x."""
        self.asked.setdefault((step, tuple(x.shape[1:])), (self.draws, x[0].numel()))
        return torch.zeros_like(x)

    def drawn(self, step: int | str, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """Raises NotLinear: nothing is known of other draws than normal ones."""
        raise NotLinear("it draws other things than normal noise")


class Units(Ledger):
    """The draws of each sample from its row of a table, [b, columns]."""

    def __init__(self, rows: Tensor, asked: dict[Key, tuple[int, int]]) -> None:
        super().__init__()
        self._rows, self.asked = rows, asked

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """The columns of this key, in the shape and type of x."""
        key = (step, tuple(x.shape[1:]))
        if key not in self.asked or len(x) != len(self._rows):
            raise NotLinear("what noise it asks for depends on its input")
        first, columns = self.asked[key]
        return self._rows[:, first : first + columns].reshape(x.shape).to(x)
