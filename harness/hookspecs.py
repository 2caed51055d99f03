"""Hooks of plugins: registration and events. Markers are inert; importing them changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pluggy

from harness.base import Component
from harness.fields import Json

PROJECT = "bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def components() -> Sequence[type[Component]]:  # type: ignore[empty-body]
    """Return the component classes of this plugin."""


@hookspec
def engines() -> Mapping[str, type]:  # type: ignore[empty-body]
    """Return engines, subclasses of `harness.engines.Engine`, by the names for `--engine`; in the command's process."""


@hookspec
def case_started(cell: Mapping[str, Json]) -> None:
    """Called when a cell's process has started, in that process; `cell` holds `id`, `vary` and `parameters`."""


@hookspec
def case_finished(cell: Mapping[str, Json], values: Mapping[str, Json]) -> None:
    """Called after a block of a cell was measured, in its process; `values` holds `seeds` and `metrics`."""
