"""Settings of the transform protocol, and the inputs it offers to metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from harness.base import Spec
from harness.fields import PositiveInt
from harness.kinds import Protocol


class TransformSettings(Protocol):
    """Settings of `transform`, with their defaults."""

    n: PositiveInt = 10
    batch: PositiveInt = 256
    dtype: Literal["float32", "float64", "float16", "bfloat16"] = "float32"

    required_kinds: ClassVar[Mapping[str, Spec | None]] = {"transform": None}
    compared_kinds: ClassVar[Sequence[str]] = ("transform",)
    metric_inputs: ClassVar[Sequence[str]] = (
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
