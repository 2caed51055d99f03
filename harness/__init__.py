"""Touchstone: compare machine-learning methods honestly. This is the only door plugins and scripts need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.base import Component, dynamic_fields, with_values
from harness.dynamic import Geometric, Learn, Linear
from harness.errors import BenchError, Skip
from harness.exchange import Case, Data, Job, Outcome, Part, Session, Values
from harness.fields import AtLeastOne, Count, File, NonNegative, Only, Positive, Unit, named
from harness.hookspecs import hookimpl
from harness.inputs import call, wanted
from harness.kinds import (
    INPUTS,
    Dataset,
    Denoiser,
    Dissimilarity,
    Feature,
    Grid,
    Loss,
    Metric,
    Model,
    Prior,
    Protocol,
    Sampler,
    Schedule,
    Trainer,
    Transform,
    Variance,
)
from harness.ruling import Ruling

if TYPE_CHECKING:
    from harness.discovery.registry import component, components, denoiser
    from harness.neighbours import Neighbours, distances, nearest, occurrences, smallest
    from harness.ready import Noise, Ready, noise
    from harness.report.result import Result
    from harness.running.runner import run

__version__ = "0.1.0"
__all__ = [
    "INPUTS",
    "AtLeastOne",
    "BenchError",
    "Case",
    "Component",
    "Count",
    "Data",
    "Dataset",
    "Denoiser",
    "Dissimilarity",
    "Feature",
    "File",
    "Geometric",
    "Grid",
    "Job",
    "Learn",
    "Linear",
    "Loss",
    "Metric",
    "Model",
    "Neighbours",
    "Noise",
    "NonNegative",
    "Only",
    "Outcome",
    "Part",
    "Positive",
    "Prior",
    "Protocol",
    "Ready",
    "Result",
    "Ruling",
    "Sampler",
    "Schedule",
    "Session",
    "Skip",
    "Trainer",
    "Transform",
    "Unit",
    "Values",
    "Variance",
    "call",
    "component",
    "components",
    "denoiser",
    "distances",
    "dynamic_fields",
    "hookimpl",
    "named",
    "nearest",
    "noise",
    "occurrences",
    "run",
    "smallest",
    "wanted",
    "with_values",
]

_LATER = {
    **dict.fromkeys(("Neighbours", "distances", "nearest", "occurrences", "smallest"), "harness.neighbours"),
    "Noise": "harness.ready",
    "noise": "harness.ready",
    "Ready": "harness.ready",
    "denoiser": "harness.discovery.registry",
    "component": "harness.discovery.registry",
    "components": "harness.discovery.registry",
    "run": "harness.running.runner",
    "Result": "harness.report.result",
}


def __getattr__(name: str) -> Any:
    """Loads what needs more than the plain types on first use, so that `from harness import Loss` stays cheap."""
    if name in _LATER:
        import importlib

        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
