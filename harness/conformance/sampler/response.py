"""Exact output law of a linear sampler on normal data, without random draws: its response to unit vectors.

With a linear network, x_0 of most samplers is an affine function of x_T and of every draw of noise. Its
coefficients are the outputs for unit vectors; the law of x_0 then follows from that of x_T.
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
"""Random inputs whose outputs are compared with the predicted ones."""

SUPERPOSED = 1e-5
"""Largest relative difference: a sampler that rounds to float32 on the way is linear, one that clips is not."""

Key = tuple[int | str, tuple[int, ...]]
"""One draw of noise: the step, or name, by which it is requested, and the shape of each sample's part."""


class NotLinear(Exception):
    """The sampler is no affine function of x_T and the normal draws of its noise; the message gives the evidence."""


class Response(NamedTuple):
    """x_0 = offset + x_T start + z noise, flattened, for standard normal z; float64."""

    offset: Tensor
    """[d]"""
    start: Tensor
    """[d, d]"""
    noise: Tensor
    """[draws, d]"""

    def law(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean [d] and covariance [d, d] of x_0 for x_T with these moments."""
        return self.offset + mean @ self.start, self.start.T @ covariance @ self.start + self.noise.T @ self.noise


def respond(
    sampler: Sampler, denoiser: DiffusionModel, times: Tensor, covariance: Callable[..., Any] | None = None
) -> Response:
    """Return the response of a sampler at times [K + 1]. Raises NotLinear if it has none."""
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
    """Return x_0 from copies of x_T and times. Raises BenchError for a wrong shape or values that are not finite."""
    with torch.no_grad():
        found: Tensor = sampler.sample(denoiser, covariance, x.clone(), times.clone(), noise)
    contract.samples(sampler, found, x)
    if not bool(torch.isfinite(found).all()):
        raise BenchError(f"samples in {len(times) - 1} steps are not finite")
    return found


class Ledger(NoiseSource):
    """Noise of zeros that records the requests: key -> (first column, columns)."""

    def __init__(self) -> None:
        super().__init__(0)
        self.asked: dict[Key, tuple[int, int]] = {}

    @property
    def draws(self) -> int:
        """Return the normal numbers requested per sample."""
        return sum(columns for _, columns in self.asked.values())

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """Return zeros like x."""
        self.asked.setdefault((step, tuple(x.shape[1:])), (self.draws, x[0].numel()))
        return torch.zeros_like(x)

    def drawn(self, step: int | str, n: int, draw: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """Raises NotLinear: the law of other than normal draws is not known."""
        raise NotLinear("it draws other things than normal noise")


class Units(Ledger):
    """Noise that takes the draws of each sample from its row of a table, [b, columns]."""

    def __init__(self, rows: Tensor, asked: dict[Key, tuple[int, int]]) -> None:
        super().__init__()
        self._rows, self.asked = rows, asked

    def __call__(self, step: int | str, x: Tensor) -> Tensor:
        """Return the columns of this key, in the shape and type of x."""
        key = (step, tuple(x.shape[1:]))
        if key not in self.asked or len(x) != len(self._rows):
            raise NotLinear("what noise it asks for depends on its input")
        first, columns = self.asked[key]
        return self._rows[:, first : first + columns].reshape(x.shape).to(x)
