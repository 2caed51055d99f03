"""Settings of the hubness protocol, and the inputs it offers to metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from harness.base import Spec
from harness.fields import PositiveInt
from harness.kinds import Protocol

METRIC_INPUTS = ("points", "labels", "neighbors", "counts", "k", "dissimilarity")


class HubnessSettings(Protocol):
    """Settings of `hubness`, with their defaults."""

    n: PositiveInt = 1000
    dim: PositiveInt | None = None
    k: PositiveInt = 10
    engine: Literal["exact", "sklearn", "faiss"] = "exact"

    required_kinds: ClassVar[Mapping[str, Spec | None]] = {"dataset": None, "dissimilarity": {"name": "euclidean"}}
    compared_kinds: ClassVar[Sequence[str]] = ("dissimilarity",)
    metric_inputs: ClassVar[Sequence[str]] = METRIC_INPUTS
