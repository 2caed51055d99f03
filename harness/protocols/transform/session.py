"""One cell of the transform protocol: one seed's logits through one transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.conformance import first_call
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.protocols.judging import judged
from harness.protocols.speed.clock import seconds
from harness.protocols.speed.memory import peak_memory
from harness.protocols.transform.adversaries import adversaries
from harness.protocols.transform.reference import error_of
from harness.protocols.transform.settings import TransformSettings
from harness.random import generator


class Feeding(CellRunner):
    """One transform at one size and type."""

    def __init__(self, settings: TransformSettings, case: CellContext) -> None:
        self._settings, self._case = settings, case

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Evaluate every metric on one seed's logits."""
        draw = Draw(self._settings, self._case, seeds[0])
        first_call.try_transform(draw.transform, draw.logits)
        metrics, skipped = judged(self._case.metrics, draw, TransformSettings.metric_inputs)
        return Measurements(seeds=list(seeds), metrics=metrics, skipped=skipped)


class Draw:
    """Inputs that metrics may request for one seed, each computed on first use."""

    def __init__(self, settings: TransformSettings, case: CellContext, seed: int) -> None:
        self.transform: Any = case.components["transform"]
        self._device, self._dtype = case.device, getattr(torch, settings.dtype)
        rows = torch.randn(settings.batch, settings.n, dtype=torch.float64, generator=generator(seed, "logits"))
        self.logits = (2 * rows).to(self._device, self._dtype)
        self._weights = torch.randn(rows.shape, generator=generator(seed, "weights")).to(self.logits)
        self._seed = seed

    @cached_property
    def probabilities(self) -> Tensor:
        """Probabilities [batch, n]."""
        result: Tensor = self.transform(self.logits)
        return result.detach()

    @cached_property
    def gradient(self) -> Tensor:
        """Gradient [batch, n] of the probabilities under fixed random weights."""
        logits = self.logits.clone().requires_grad_()
        return torch.autograd.grad((self.transform(logits) * self._weights).sum(), logits)[0]

    @cached_property
    def adversaries(self) -> list[Tensor]:
        """Hard inputs [rows, n]: ties, large and tiny gaps, large values, random rows."""
        return [rows.to(self._device, self._dtype) for rows in adversaries(self.logits.shape[-1], self._seed)]

    @cached_property
    def error(self) -> float | None:
        """Largest error relative to an independent integration, over sampled classes; None without a reference."""
        noise = self.transform.reference_noise()
        logits = self.logits.double().cpu()
        return None if noise is None else error_of(self.probabilities, noise, logits, self._seed)

    @cached_property
    def seconds(self) -> float:
        """Median time of a forward pass."""
        return seconds(lambda: self.transform(self.logits), self._device)

    @cached_property
    def backward_seconds(self) -> float:
        """Median time of a backward pass."""
        logits = self.logits.clone().requires_grad_()
        result = self.transform(logits)
        return seconds(lambda: torch.autograd.grad(result, logits, self._weights, retain_graph=True), self._device)

    @cached_property
    def softmax_seconds(self) -> float:
        """Median time of `torch.softmax` on the same logits, in the same process."""
        return seconds(lambda: torch.softmax(self.logits, -1), self._device)

    @cached_property
    def bytes(self) -> float:
        """Bytes held at the peak of a forward pass beyond those held before it."""
        self.transform(self.logits)
        return peak_memory(lambda: self.transform(self.logits), self._device)
