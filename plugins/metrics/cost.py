"""What a method costs: time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

NEGLIGIBLE = 0.02
"""A share by which times may differ and no difference is called."""


class Seconds(Metric):
    """The median time of a call on the whole batch. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"
    ratio: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float) -> float:
        return seconds


class BackwardSeconds(Metric):
    """The median time of a backward pass over the batch. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"
    ratio: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, backward_seconds: float) -> float:
        return backward_seconds


class Latency(Metric):
    """The median time from asking for one call to having its result. Lower is better.

    On a processor that of calls alone; on a GPU with starting the kernels and waiting for them.
    """

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"
    ratio: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, latency: float) -> float:
        return latency


class Throughput(Metric):
    """Examples, rows or samples a second, when calls follow each other. Higher is better."""

    better: ClassVar[str] = "higher"
    unit: ClassVar[str | None] = "1/s"
    ratio: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float, items: int) -> float:
        return items / seconds


class Bandwidth(Metric):
    """Bytes of input and output over the time: what a call cannot move less of. Higher is better."""

    better: ClassVar[str] = "higher"
    unit: ClassVar[str | None] = "B/s"
    ratio: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float, moved: int) -> float:
        return moved / seconds


class Limit(Metric):
    """The bandwidth as a share of that of a copy of as many bytes, timed in the same block. Higher is better.

    1 is as fast as memory allows, where what is timed does not fit into a cache.
    """

    better: ClassVar[str] = "higher"

    def __call__(self, seconds: float, copy_seconds: float) -> float:
        return copy_seconds / seconds


class TimesSoftmax(Metric):
    """The forward time as a multiple of `torch.softmax` on the same logits in the same process. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, seconds: float, softmax_seconds: float) -> float:
        return seconds / softmax_seconds


class TimesForward(Metric):
    """The backward time as a multiple of the forward time. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, backward_seconds: float, seconds: float) -> float:
        return backward_seconds / seconds


class TimesInput(Metric):
    """Memory held at the peak of a forward pass as a multiple of that of the logits. Lower is better."""

    better: ClassVar[str] = "lower"

    def __call__(self, bytes: float, logits: Tensor) -> float:
        return bytes / (logits.numel() * logits.element_size())


class PeakBytes(Metric):
    """Memory held at the peak of a forward pass beyond what was held before it. Lower is better."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "B"

    def __call__(self, bytes: float) -> float:
        return bytes


class ReservedBytes(Metric):
    """Memory that torch took from a GPU at the peak, in use or kept for later. Lower is better; None elsewhere."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "B"

    def __call__(self, reserved: float | None) -> float | None:
        return reserved


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [
        Seconds,
        BackwardSeconds,
        Latency,
        Throughput,
        Bandwidth,
        Limit,
        TimesSoftmax,
        TimesForward,
        TimesInput,
        PeakBytes,
        ReservedBytes,
    ]
