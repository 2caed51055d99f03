"""Stock components that conformance checks use: exact targets, schedules, spacings, metrics and others."""

from __future__ import annotations

import functools
from typing import Any

from harness.diffusion.model import DiffusionModel
from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.inputs import call_with_inputs

FOLDERS = (
    "denoisers",
    "dissimilarities",
    "metrics",
    "samplers",
    "schedules",
    "spacings",
    "transforms.softmax",
    "variances",
)


def component(kind: str, name: str, **fields: Any) -> Any:
    """Return a stock component."""
    return _registry().build(kind, {"name": name, **fields})


def target(name: str, **fields: Any) -> DiffusionModel:
    """Return a stock denoiser that needs no training, loaded."""
    made = component("denoiser", name, **fields)
    return DiffusionModel(made, call_with_inputs(made.load, "cpu"))


@functools.cache  # importing plugins takes longer than most checks
def _registry() -> Registry:
    return Registry(source for source in sources.stock() if source.name.startswith(FOLDERS))
