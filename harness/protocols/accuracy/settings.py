"""Settings of the accuracy protocol, and the inputs it offers to metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness.base import Spec
from harness.fields import NonNegative, Positive, PositiveInt
from harness.kinds import Protocol
from harness.protocols.accuracy.scoring import METRIC_INPUTS

Scheduler = Literal[
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "OneCycleLR",
]
"""Schedulers of torch.optim.lr_scheduler that need no function, no other scheduler and no score."""


class AccuracySettings(Protocol):
    """Settings of `accuracy`, with their defaults."""

    version: ClassVar[int] = 2
    epochs: PositiveInt = 30
    batch: PositiveInt = 64
    optimizer: Literal["adam", "sgd"] = "adam"
    lr: Positive = 0.01
    weight_decay: NonNegative = 0.0
    lr_schedule: Literal["constant", "cosine", Scheduler] | dict[Scheduler, Any] = "constant"
    warmup_epochs: NonNegative = 0.0
    patience: PositiveInt | None = None
    normalize_gradient: bool = False
    amp: bool = False

    required_kinds: ClassVar[Mapping[str, Spec | None]] = {
        "dataset": None,
        "model": {"name": "mlp"},
        "loss": None,
        "trainer": {"name": "auto"},
    }
    compared_kinds: ClassVar[Sequence[str]] = ("loss", "trainer")
    metric_inputs: ClassVar[Sequence[str]] = METRIC_INPUTS
