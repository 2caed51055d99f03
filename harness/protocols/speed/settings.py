"""Settings of the speed protocol, and the inputs it offers to metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from harness.fields import NonNegative, Positive, PositiveInt
from harness.kinds import Protocol

KINDS = ("sampler", "variance", "loss", "transform", "dissimilarity", "metric")
"""Kinds that can be timed. With a sampler and a variance, the sampler is timed, which uses the variance."""

METRIC_INPUTS = (
    "seconds",
    "latency",
    "items",
    "moved",
    "copy_seconds",
    "sampler_seconds",
    "denoiser_seconds",
    "bytes",
    "reserved",
    "error",
)


class SpeedSettings(Protocol):
    """Settings of `speed`, with their defaults."""

    batch: PositiveInt = 256
    n: PositiveInt = 10
    dim: PositiveInt = 16
    steps: PositiveInt = 20
    dtype: Literal["float32", "float64", "float16", "bfloat16"] = "float32"
    pass_: Literal["forward", "backward", "both"] = "forward"
    threads: PositiveInt = 1
    compile: bool = False
    flush_cache: bool = False
    match_reference: bool = False
    tolerance: NonNegative | None = None
    target_half_width: Positive = 0.01
    budget: Positive = 5.0

    compared_kinds: ClassVar[Sequence[str]] = KINDS
    optional_kinds: ClassVar[Sequence[str]] = ("denoiser", "spacing", "schedule")
    metric_inputs: ClassVar[Sequence[str]] = METRIC_INPUTS
    interleaved: ClassVar[bool] = True
