"""One seed's samples, and the inputs that metrics may request."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from harness.conformance import contract
from harness.diffusion.model import BLOCK, DiffusionModel, NoiseSource
from harness.inputs import call_with_inputs
from harness.protocols.generation.features import Features
from harness.protocols.generation.parts import Parts
from harness.protocols.generation.reference import NoSamples
from harness.protocols.generation.settings import GenerationSettings
from harness.random import generator
from harness.results.values import ComparedFeatures


class Drawn(NamedTuple):
    """Samples [n, *shape] and their cost: seconds in all and in the network, evaluations and derivatives per sample."""

    samples: Tensor
    seconds: float
    inside: float
    nfe: float
    derivatives: float


class Samples:
    """One seed's samples and the inputs that metrics may request, each computed on first use."""

    def __init__(
        self,
        parts: Parts,
        feature: Features,
        times: Tensor,
        settings: GenerationSettings,
        seed: int,
        on_progress: Callable[..., None],
    ) -> None:
        self._parts, self._feature = parts, feature
        self._settings, self._seed, self._on_progress = settings, seed, on_progress
        self.model, self.sampler, self.covariance = parts.model, parts.components["sampler"], parts.covariance
        self.times, self.steps = times, len(times) - 1
        self.noise = NoiseSource(seed)

    @property
    def start(self) -> Tensor:
        """Start of sampling, x_T [n, *shape]."""
        shape = (self._settings.samples, *self.model.shape)
        draw = self._parts.components["prior"].draw
        drawn = call_with_inputs(draw, shape, generator(self._seed, "x_T"), on_progress=self._on_progress)
        return contract.drawn(self._parts.components["prior"], drawn, shape).to(self.model.device)

    @cached_property
    def start_scale(self) -> float:
        """Root mean square of the start, kept: some priors take long to draw."""
        return float(self.start.double().square().mean().sqrt())

    @cached_property
    def _drawn(self) -> Drawn:
        """Draw in batches; a sample does not depend on them."""
        settings, denoiser, start = self._settings, self.model, self.start
        denoiser.evaluated, denoiser.differentiated, denoiser.seconds = 0, 0, 0.0
        began, found = time.perf_counter(), []
        size = -(-settings.batch // BLOCK) * BLOCK
        for first in range(0, settings.samples, size):
            found.append(self.sampled(denoiser, start[first : first + size], self.noise.after(first)))
            self._on_progress(first + size, settings.samples)
        seconds = time.perf_counter() - began
        counts = (count / settings.samples for count in (denoiser.evaluated, denoiser.differentiated))
        return Drawn(torch.cat(found), seconds, denoiser.seconds, *counts)

    def sampled(self, denoiser: DiffusionModel, x: Tensor, noise: NoiseSource) -> Tensor:
        """Return x_0 for x_T [b, *shape], as measured. Raises BenchError if it is not finite or has another shape."""
        given = (denoiser, self.covariance, x, self.times, noise)
        labels = self._labels(len(x), noise)  # the covariance asks the model that the cell has
        with torch.no_grad(), denoiser.given(labels), self.model.given(labels):
            found: Tensor = call_with_inputs(
                self.sampler.sample, *given, noise_last_step=self._settings.noise_last_step
            )
        return contract.finite(self.sampler, "sample", contract.samples(self.sampler, found, x))

    def _labels(self, n: int, noise: NoiseSource) -> Tensor | None:
        """Draw the labels of n samples, a block at a time like their noise; None for a denoiser without classes."""
        chosen = self._parts.labels
        if chosen is None:
            return None
        places = noise.drawn("labels", n, lambda m, stream: torch.randint(len(chosen), (m,), generator=stream))
        return chosen[places].to(self.model.device)

    @cached_property
    def features(self) -> Tensor:
        """Features of the samples [n, d]."""
        return self._feature.of(self.samples)

    @property
    def real(self) -> Tensor | None:
        """Real data [m, *shape]; None where there are none."""
        return self._parts.real

    @cached_property
    def reference(self) -> Tensor:
        """Reference [m, *shape]: the real data, or as many draws of an exact target as there are samples.

        Raises NoSamples if the suite has only statistics of the reference.
        """
        if self._parts.stats is not None:
            raise NoSamples
        return self._parts.data(self._settings.samples, self._seed)

    @cached_property
    def reference_features(self) -> Tensor:
        """Features of the reference [m, d]."""
        return self._feature.of(self.reference)

    @property
    def compared_features(self) -> ComparedFeatures | None:
        """Features that metrics compared, and with what; None if no metric has requested features of samples."""
        if "features" not in vars(self):
            return None
        n, width = self.features.shape
        return ComparedFeatures(
            repr(feature := self._parts.components["feature"]),
            width,
            n,
            *self._parts.reference_identity(n),
            rounding=feature.rounding,
            resize=feature.resize,
        )

    @property
    def samples(self) -> Tensor:
        """Samples [n, *shape]."""
        return self._drawn.samples

    @property
    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Moments of the features, exact or from the suite's file, where they are known."""
        return self._feature.moments

    @property
    def are_drawn(self) -> bool:
        """True once a metric has requested samples."""
        return "_drawn" in vars(self)

    @property
    def nfe(self) -> float:
        """Network evaluations per sample."""
        return self._drawn.nfe

    @property
    def derivatives(self) -> float:
        """Derivatives through the network per sample, backward or forward."""
        return self._drawn.derivatives

    @property
    def denoiser_seconds(self) -> float:
        """Time inside the network."""
        return self._drawn.inside

    @property
    def sampler_seconds(self) -> float:
        """Time of sampling outside the network."""
        return self._drawn.seconds - self._drawn.inside
