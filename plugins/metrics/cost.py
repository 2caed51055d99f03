"""Cost of a method in time and memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

NEGLIGIBLE = 0.02
"""Relative difference of times up to which they are not called different."""


class Seconds(Metric):
    """Median time of a call on the whole batch.

    Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "s"
    relative_margin: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float) -> float:
        return seconds


class BackwardSeconds(Metric):
    """Median time of a backward pass over the batch.

    Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "s"
    relative_margin: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, backward_seconds: float) -> float:
        return backward_seconds


class Latency(Metric):
    """Median time from the start of one call to its result.

    Lower is better. On a processor it is the time of the call alone; on a GPU it includes starting the kernels and
    waiting for them.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "s"
    relative_margin: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, latency: float) -> float:
        return latency


class Throughput(Metric):
    """Examples, rows or samples per second when calls follow each other.

    Higher is better.
    """

    higher_is_better: ClassVar[bool | None] = True
    unit: ClassVar[str | None] = "1/s"
    relative_margin: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float, items: int) -> float:
        return items / seconds


class Bandwidth(Metric):
    """Bytes of input and output per second.

    A call cannot move fewer bytes than that. Higher is better.
    """

    higher_is_better: ClassVar[bool | None] = True
    unit: ClassVar[str | None] = "B/s"
    relative_margin: ClassVar[float | None] = NEGLIGIBLE

    def __call__(self, seconds: float, moved: int) -> float:
        return moved / seconds


class BandwidthFraction(Metric):
    """Bandwidth relative to that of copying as many bytes.

    The copy is timed in the same block. Higher is better; 1 is as fast as memory allows, for data that do not fit into
    a cache.
    """

    higher_is_better: ClassVar[bool | None] = True

    def __call__(self, seconds: float, copy_seconds: float) -> float:
        return copy_seconds / seconds


class SlowdownVsSoftmax(Metric):
    """Forward time as a multiple of `torch.softmax` on the same logits.

    Both are timed in the same process. Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, seconds: float, softmax_seconds: float) -> float:
        return seconds / softmax_seconds


class BackwardForwardRatio(Metric):
    """Backward time as a multiple of the forward time.

    Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, backward_seconds: float, seconds: float) -> float:
        return backward_seconds / seconds


class PeakMemoryRatio(Metric):
    """Peak memory of a forward pass as a multiple of that of the logits.

    Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, bytes: float, logits: Tensor) -> float:
        return bytes / (logits.numel() * logits.element_size())


class PeakMemory(Metric):
    """Memory held at the peak of a forward pass.

    Memory held before the pass is not counted. Lower is better.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "B"

    def __call__(self, bytes: float) -> float:
        return bytes


class ReservedMemory(Metric):
    """Memory that torch reserved on a GPU at the peak.

    It counts memory in use and memory kept for later. Lower is better; None on other devices.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "B"

    def __call__(self, reserved: float | None) -> float | None:
        return reserved


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [
        Seconds,
        BackwardSeconds,
        Latency,
        Throughput,
        Bandwidth,
        BandwidthFraction,
        SlowdownVsSoftmax,
        BackwardForwardRatio,
        PeakMemoryRatio,
        PeakMemory,
        ReservedMemory,
    ]
