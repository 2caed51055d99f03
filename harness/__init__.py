"""Touchstone: compare machine-learning methods honestly. Plugins and scripts import everything from this package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.base import Component, build_defaults_with, derived, dynamic_fields, replace_fields
from harness.command_line import fill_command
from harness.dynamic import GeometricSchedule, Learned, LinearSchedule
from harness.errors import BenchError, Skip, near_miss
from harness.fields import (
    CommandLine,
    FilePath,
    ImportPath,
    NonNegative,
    PathOrId,
    Positive,
    PositiveInt,
    UnitInterval,
    named,
)
from harness.hookspecs import hookimpl
from harness.inputs import call_with_inputs, requested_inputs
from harness.kinds import (
    LOSS_INPUTS,
    PROGRAM_INPUTS,
    Dataset,
    Denoiser,
    Dissimilarity,
    ExternalTrainer,
    Feature,
    Loss,
    Metric,
    Model,
    Prior,
    Protocol,
    Sampler,
    Schedule,
    Spacing,
    Trainer,
    Transform,
    Variance,
)
from harness.kinds.classification import Examples, Subset, TrainingJob, TrainingResult
from harness.kinds.evaluation import CellContext, CellRunner, Measurements, StoppingDecision
from harness.kinds.programs import Job
from harness.processes import run_program
from harness.random import global_draws

if TYPE_CHECKING:
    from harness.analysis.compare import compare
    from harness.conformance.contract import loss_value
    from harness.diffusion.model import DiffusionModel, NoiseSource
    from harness.diffusion.sampling import sample
    from harness.discovery.adapters import import_attribute
    from harness.discovery.registry import component, components, denoiser
    from harness.neighbors import Neighbors, k_nearest, k_occurrence, k_smallest, pairwise_distances
    from harness.report.result import Result
    from harness.run.pipeline import run

__version__ = "0.2.0"
__all__ = [
    "LOSS_INPUTS",
    "PROGRAM_INPUTS",
    "BenchError",
    "CellContext",
    "CellRunner",
    "CommandLine",
    "Component",
    "Dataset",
    "Denoiser",
    "DiffusionModel",
    "Dissimilarity",
    "Examples",
    "ExternalTrainer",
    "Feature",
    "FilePath",
    "GeometricSchedule",
    "ImportPath",
    "Job",
    "Learned",
    "LinearSchedule",
    "Loss",
    "Measurements",
    "Metric",
    "Model",
    "Neighbors",
    "NoiseSource",
    "NonNegative",
    "PathOrId",
    "Positive",
    "PositiveInt",
    "Prior",
    "Protocol",
    "Result",
    "Sampler",
    "Schedule",
    "Skip",
    "Spacing",
    "StoppingDecision",
    "Subset",
    "Trainer",
    "TrainingJob",
    "TrainingResult",
    "Transform",
    "UnitInterval",
    "Variance",
    "call_with_inputs",
    "compare",
    "component",
    "components",
    "denoiser",
    "derived",
    "dynamic_fields",
    "fill_command",
    "global_draws",
    "hookimpl",
    "import_attribute",
    "k_nearest",
    "k_occurrence",
    "k_smallest",
    "loss_value",
    "named",
    "near_miss",
    "pairwise_distances",
    "replace_fields",
    "requested_inputs",
    "run",
    "run_program",
    "sample",
]

_LATER = {
    **dict.fromkeys(
        ("Neighbors", "k_nearest", "k_occurrence", "k_smallest", "pairwise_distances"), "harness.neighbors"
    ),
    **dict.fromkeys(("DiffusionModel", "NoiseSource"), "harness.diffusion.model"),
    **dict.fromkeys(("component", "components", "denoiser"), "harness.discovery.registry"),
    "compare": "harness.analysis.compare",
    "import_attribute": "harness.discovery.adapters",
    "loss_value": "harness.conformance.contract",
    "run": "harness.run.pipeline",
    "sample": "harness.diffusion.sampling",
    "Result": "harness.report.result",
}


def _built(kind: str, name: str) -> object:
    """A component that a default names, among the stock and installed ones."""
    from harness.discovery.registry import component

    return component(kind, name)


build_defaults_with(_built)

if not TYPE_CHECKING:  # a type checker would take every misspelled name for one that is found here

    def __getattr__(name: str) -> object:
        """Load names beyond the plain types on first use, so that `from harness import Loss` stays cheap."""
        if name in _LATER:
            import importlib

            return getattr(importlib.import_module(_LATER[name]), name)
        raise AttributeError(f"module 'harness' has no attribute {name!r}{near_miss(name, __all__).suggestion}")
