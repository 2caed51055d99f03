"""What a method costs: time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Seconds(Metric):
    """The median time of a forward pass over the batch. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"

    def __call__(self, forward_seconds: float) -> float:
        return forward_seconds


class BackwardSeconds(Metric):
    """The median time of a backward pass over the batch. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"

    def __call__(self, backward_seconds: float) -> float:
        return backward_seconds


class TimesSoftmax(Metric):
    """The forward time as a multiple of `torch.softmax` on the same logits in the same process. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, forward_seconds: float, softmax_seconds: float) -> float:
        return forward_seconds / softmax_seconds


class TimesForward(Metric):
    """The backward time as a multiple of the forward time. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, backward_seconds: float, forward_seconds: float) -> float:
        return backward_seconds / forward_seconds


class TimesInput(Metric):
    """Memory held at the peak of a forward pass as a multiple of that of the logits. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, memory: float, logits: Tensor) -> float:
        return memory / (logits.numel() * logits.element_size())


class PeakBytes(Metric):
    """Memory held at the peak of a forward pass beyond what was held before it. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "B"

    def __call__(self, memory: float) -> float:
        return memory


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Seconds, BackwardSeconds, TimesSoftmax, TimesForward, TimesInput, PeakBytes]
