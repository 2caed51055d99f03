"""The stock components that certificates measure with: exact targets, schedules, grids, metrics."""

from __future__ import annotations

import functools
from typing import Any

from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.inputs import call
from harness.ready import Ready

FOLDERS = ("denoisers", "grids", "metrics", "schedules")


def component(kind: str, name: str, **fields: Any) -> Any:
    """A stock component."""
    return _registry().build(kind, {"name": name, **fields})


def target(name: str, **fields: Any) -> Ready:
    """A stock denoiser that needs no training, ready."""
    made = component("denoiser", name, **fields)
    return Ready(made, call(made.load, "cpu"))


@functools.cache  # importing plugins takes longer than most certificates
def _registry() -> Registry:
    return Registry(source for source in sources.stock() if source.name.startswith(FOLDERS))
