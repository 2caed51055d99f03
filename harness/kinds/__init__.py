"""What a plugin can define: one abstract class per kind.

Shapes are in brackets. Nothing here imports torch, so that the command and a plugin's description stay cheap.
"""

from __future__ import annotations

from harness.base import Component
from harness.kinds.comparing import Dissimilarity
from harness.kinds.generation import Denoiser, Feature, Prior, Sampler, Variance
from harness.kinds.judging import Metric, Protocol
from harness.kinds.times import Grid, Schedule
from harness.kinds.training import INPUTS, Dataset, Loss, Model, Trainer, Transform

__all__ = [
    "INPUTS",
    "KINDS",
    "Dataset",
    "Denoiser",
    "Dissimilarity",
    "Feature",
    "Grid",
    "Loss",
    "Metric",
    "Model",
    "Prior",
    "Protocol",
    "Sampler",
    "Schedule",
    "Trainer",
    "Transform",
    "Variance",
]

TRAINING = (Dataset, Model, Trainer, Loss, Transform)
GENERATION = (Schedule, Grid, Denoiser, Sampler, Variance, Prior, Feature)
COMPARING = (Dissimilarity,)
JUDGING = (Metric, Protocol)

KINDS: dict[str, type[Component]] = {cls.kind: cls for cls in (*TRAINING, *GENERATION, *COMPARING, *JUDGING)}
