"""One seed's samples, and what metrics may ask of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from harness.errors import BenchError
from harness.ready import BLOCK, Noise
from harness.streams import generator

if TYPE_CHECKING:
    from harness.protocols.generation import Generation, Sampling

OFFERS = (
    "samples",
    "features",
    "reference_features",
    "moments",
    "denoiser",
    "nfe",
    "steps",
    "times",
    "sampler_seconds",
    "denoiser_seconds",
)


class Drawn(NamedTuple):
    """Samples [n, *shape] and what they cost: seconds in all and in the network, network evaluations a sample."""

    samples: Tensor
    seconds: float
    inside: float
    nfe: float


class Samples:
    """One seed's samples and what metrics may ask of them; each thing is computed when it is first asked for."""

    def __init__(self, session: Sampling, settings: Generation, seed: int, report: Callable[..., None]) -> None:
        self._session, self._settings, self._seed, self._report = session, settings, seed, report
        self.denoiser, self.times = session.denoiser, session.times
        self.steps = len(session.times) - 1

    @cached_property
    def _drawn(self) -> Drawn:
        """In batches; what a sample is does not depend on them."""
        settings, denoiser = self._settings, self.denoiser
        draw = generator(self._seed, "x_T")
        start = self._session.parts["prior"].draw((settings.samples, *denoiser.shape), draw).to(denoiser.device)
        denoiser.evaluated, denoiser.seconds = 0, 0.0
        began, found = time.perf_counter(), []
        size = -(-settings.batch // BLOCK) * BLOCK
        noise = Noise(self._seed)
        for first in range(0, settings.samples, size):
            found.append(self._sampled(start[first : first + size], noise.after(first)))
            self._report(first + size, settings.samples)
        seconds = time.perf_counter() - began
        return Drawn(torch.cat(found), seconds, denoiser.seconds, denoiser.evaluated / settings.samples)

    def _sampled(self, x: Tensor, noise: Noise) -> Tensor:
        parts = self._session.parts
        with torch.no_grad():
            found: Tensor = parts["sampler"].sample(self.denoiser, self._session.covariance, x, self.times, noise)
        if found.shape != x.shape:
            raise BenchError(f"{parts['sampler']!r} answered {[*found.shape]} for samples {[*x.shape]}")
        if not bool(torch.isfinite(found).all()):
            raise BenchError(f"{parts['sampler']!r} gave samples that are not finite")
        return found

    @cached_property
    def features(self) -> Tensor:
        """[n, d]."""
        return self._session.feature.of(self.samples)

    @cached_property
    def reference_features(self) -> Tensor:
        """[m, d]."""
        return self._session.feature.reference(self._seed)

    @property
    def samples(self) -> Tensor:
        """[n, *shape]."""
        return self._drawn.samples

    @property
    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Exact moments of the features, where they are known."""
        return self._session.feature.moments

    @property
    def nfe(self) -> float:
        """Network evaluations per sample."""
        return self._drawn.nfe

    @property
    def denoiser_seconds(self) -> float:
        """Time inside the network."""
        return self._drawn.inside

    @property
    def sampler_seconds(self) -> float:
        """Time of sampling outside the network."""
        return self._drawn.seconds - self._drawn.inside
