"""The transform protocol: is it a distribution, how exact is it, what does it look like, what does it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from harness.base import Component, Spec
from harness.exchange import Case, Session, Values
from harness.fields import Count
from harness.hookspecs import hookimpl
from harness.inputs import required
from harness.kinds import Protocol
from harness.protocols._adversaries import adversaries
from harness.protocols._clock import seconds
from harness.protocols._cost import peak_bytes
from harness.protocols._reference import error_of
from harness.streams import generator


class Transform(Protocol):
    """Feeds logits to transforms and measures what comes out.

    A seed draws `batch` rows of `n` normal logits with deviation 2. Nothing a metric does not ask for is computed.
    """

    n: Count = 10
    batch: Count = 256
    dtype: Literal["float32", "float64", "float16", "bfloat16"] = "float32"

    needs: ClassVar[Mapping[str, Spec | None]] = {"transform": None}
    contenders: ClassVar[Sequence[str]] = ("transform",)
    offers: ClassVar[Sequence[str]] = (
        "transform",
        "logits",
        "probabilities",
        "gradient",
        "adversaries",
        "error",
        "seconds",
        "backward_seconds",
        "softmax_seconds",
        "bytes",
    )

    def setup(self, case: Case) -> Session:
        """Nothing to prepare; times are those of one thread."""
        torch.set_num_threads(1)
        return Feeding(self, case)


class Feeding(Session):
    """One transform at one size and type."""

    def __init__(self, settings: Transform, case: Case) -> None:
        self._settings, self._case = settings, case

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Every metric on one seed's logits."""
        draw = Draw(self._settings, self._case, seeds[0])
        metrics: dict[str, list[float] | None] = {}
        for label, metric in self._case.measure.items():
            value = metric(**{name: getattr(draw, name) for name in required(metric)})
            metrics[label] = None if value is None else [float(value)]
        return Values(seeds=list(seeds), metrics=metrics)


class Draw:
    """What metrics may ask of one seed; each thing is computed when it is first asked for."""

    def __init__(self, settings: Transform, case: Case, seed: int) -> None:
        self.transform: Any = case.parts["transform"]
        self._device, self._dtype = case.device, getattr(torch, settings.dtype)
        rows = torch.randn(settings.batch, settings.n, dtype=torch.float64, generator=generator(seed, "logits"))
        self.logits = (2 * rows).to(self._device, self._dtype)
        self._weights = torch.randn(rows.shape, generator=generator(seed, "weights")).to(self.logits)
        self._seed = seed

    @cached_property
    def probabilities(self) -> Tensor:
        """[batch, n]."""
        result: Tensor = self.transform(self.logits)
        return result.detach()

    @cached_property
    def gradient(self) -> Tensor:
        """The gradient [batch, n] of the probabilities under fixed random weights."""
        logits = self.logits.clone().requires_grad_()
        return torch.autograd.grad((self.transform(logits) * self._weights).sum(), logits)[0]

    @cached_property
    def adversaries(self) -> list[Tensor]:
        """Hard inputs [rows, n]: ties, large and tiny gaps, large values, random rows."""
        return [rows.to(self._device, self._dtype) for rows in adversaries(self.logits.shape[-1], self._seed)]

    @cached_property
    def error(self) -> float | None:
        """The largest distance from an independent integration, over sampled classes; None where there is none."""
        noise = self.transform.reference_noise()
        logits = self.logits.double().cpu()
        return None if noise is None else error_of(self.probabilities, noise, logits, self._seed)

    @cached_property
    def seconds(self) -> float:
        """The median time of a forward pass."""
        return seconds(lambda: self.transform(self.logits), self._device)

    @cached_property
    def backward_seconds(self) -> float:
        """The median time of a backward pass."""
        logits = self.logits.clone().requires_grad_()
        result = self.transform(logits)
        return seconds(lambda: torch.autograd.grad(result, logits, self._weights, retain_graph=True), self._device)

    @cached_property
    def softmax_seconds(self) -> float:
        """The median time of `torch.softmax` on the same logits, in the same process."""
        return seconds(lambda: torch.softmax(self.logits, -1), self._device)

    @cached_property
    def bytes(self) -> float:
        """Bytes held at the peak of a forward pass beyond what was held before it."""
        self.transform(self.logits)
        return peak_bytes(lambda: self.transform(self.logits), self._device)


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Transform]
