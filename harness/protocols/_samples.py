"""One seed's samples, and what metrics may ask of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from harness.errors import BenchError
from harness.inputs import call, wanted
from harness.ready import BLOCK, Noise, Ready
from harness.streams import generator

if TYPE_CHECKING:
    from harness.protocols.generation import Generation, Sampling

OFFERS = (
    "samples",
    "reference",
    "features",
    "reference_features",
    "moments",
    "denoiser",
    "sampler",
    "covariance",
    "noise",
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
        self.denoiser, self.sampler = session.denoiser, session.components["sampler"]
        self.covariance = session.covariance
        self.times, self.steps = session.times, len(session.times) - 1
        self.noise = Noise(seed)

    def asked(self, judge: Callable[..., Any]) -> Any:
        """What a metric, or its curve, answers given what it names."""
        names = wanted(judge, 0)
        return call(judge, **{name: getattr(self, name) for name in OFFERS if name in names})

    @property
    def start(self) -> Tensor:
        """x_T [n, *shape]."""
        shape = (self._settings.samples, *self.denoiser.shape)
        draw = self._session.components["prior"].draw
        drawn: Tensor = call(draw, shape, generator(self._seed, "x_T"), report=self._report)
        return drawn.to(self.denoiser.device)

    @cached_property
    def _drawn(self) -> Drawn:
        """In batches; what a sample is does not depend on them."""
        settings, denoiser, start = self._settings, self.denoiser, self.start
        denoiser.evaluated, denoiser.seconds = 0, 0.0
        began, found = time.perf_counter(), []
        size = -(-settings.batch // BLOCK) * BLOCK
        for first in range(0, settings.samples, size):
            found.append(self.sampled(denoiser, start[first : first + size], self.noise.after(first)))
            self._report(first + size, settings.samples)
        seconds = time.perf_counter() - began
        return Drawn(torch.cat(found), seconds, denoiser.seconds, denoiser.evaluated / settings.samples)

    def sampled(self, denoiser: Ready, x: Tensor, noise: Noise) -> Tensor:
        """x_0 from x_T [b, *shape], as it is measured. Raises BenchError where it is not finite or of another shape."""
        given = (denoiser, self._session.covariance, x, self.times, noise)
        with torch.no_grad():
            found: Tensor = call(self.sampler.sample, *given, last_noise=self._settings.last_noise)
        if found.shape != x.shape:
            raise BenchError(f"{self.sampler!r} answered {[*found.shape]} for samples {[*x.shape]}")
        if not bool(torch.isfinite(found).all()):
            raise BenchError(f"{self.sampler!r} gave samples that are not finite")
        return found

    @cached_property
    def features(self) -> Tensor:
        """[n, d]."""
        return self._session.feature.of(self.samples)

    @cached_property
    def reference(self) -> Tensor:
        """[m, *shape]: the real data, or as many draws of an exact target as there are samples."""
        return self._session.parts.data(self._settings.samples, self._seed)

    @cached_property
    def reference_features(self) -> Tensor:
        """[m, d]."""
        return self._session.feature.of(self.reference)

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
