"""Kinds of components that a plugin can define, one abstract class per kind, beside the values it exchanges.

Shapes are in brackets. Nothing here imports torch, so that the command and the description of a plugin stay cheap.
"""

from __future__ import annotations

from harness.base import Component
from harness.kinds.classification import LOSS_INPUTS, Dataset, ExternalTrainer, Loss, Model, Trainer, Transform
from harness.kinds.denoising import Denoiser, Schedule
from harness.kinds.diffusion import Feature, Prior, Sampler, Spacing, Variance
from harness.kinds.evaluation import Metric, Protocol
from harness.kinds.hubness import Dissimilarity
from harness.kinds.programs import PROGRAM_INPUTS

__all__ = [
    "KINDS",
    "LOSS_INPUTS",
    "PROGRAM_INPUTS",
    "Dataset",
    "Denoiser",
    "Dissimilarity",
    "ExternalTrainer",
    "Feature",
    "Loss",
    "Metric",
    "Model",
    "Prior",
    "Protocol",
    "Sampler",
    "Schedule",
    "Spacing",
    "Trainer",
    "Transform",
    "Variance",
]

CLASSIFICATION = (Dataset, Model, Trainer, Loss, Transform)
DIFFUSION = (Schedule, Spacing, Denoiser, Sampler, Variance, Prior, Feature)

KINDS: dict[str, type[Component]] = {
    cls.kind: cls for cls in (*CLASSIFICATION, *DIFFUSION, Dissimilarity, Metric, Protocol)
}
