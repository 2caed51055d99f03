"""Settings of the generation protocol, and the inputs it offers to metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge

from harness.base import Spec
from harness.fields import PositiveInt
from harness.kinds import Protocol

METRIC_INPUTS = (
    "samples",
    "reference",
    "features",
    "reference_features",
    "moments",
    "model",
    "sampler",
    "covariance",
    "noise",
    "nfe",
    "steps",
    "times",
    "sampler_seconds",
    "denoiser_seconds",
)


class GenerationSettings(Protocol):
    """Settings of `generation`, with their defaults."""

    steps: PositiveInt = 50
    nfe: PositiveInt | None = None
    samples: PositiveInt = 2048
    batch: PositiveInt = 2048
    clip_x0: bool = False
    noise_last_step: bool = False
    labels: Annotated[int, Ge(0)] | Sequence[Annotated[int, Ge(0)]] | None = None
    guidance: float | None = None

    required_kinds: ClassVar[Mapping[str, Spec | None]] = {
        "denoiser": None,
        "sampler": None,
        "spacing": {"name": "even"},
        "variance": {"name": "beta_tilde"},
        "prior": {"name": "normal"},
        "feature": {"name": "pixels"},
    }
    optional_kinds: ClassVar[Sequence[str]] = ("schedule",)
    compared_kinds: ClassVar[Sequence[str]] = ("sampler", "variance", "prior")
    metric_inputs: ClassVar[Sequence[str]] = METRIC_INPUTS
    references: ClassVar[Sequence[str]] = ("dataset", "stats")

    artifacts: ClassVar[Mapping[str, Sequence[str]]] = {
        "dataset": (),
        "denoiser": (),
        "variance": ("denoiser", "schedule", "clip_x0", "dataset"),
        "feature": ("denoiser", "dataset"),
        "spacing": ("denoiser", "schedule", "variance", "sampler", "clip_x0", "dataset"),
    }
