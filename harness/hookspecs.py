"""The hooks: how a plugin is registered and what it may listen to. Markers are inert; importing changes nothing."""

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
    """The component classes this plugin brings."""


@hookspec
def case_started(cell: Mapping[str, Json]) -> None:
    """A cell's process has started. Runs in that process; `cell` holds `id`, `vary` and `parameters`."""


@hookspec
def case_finished(cell: Mapping[str, Json], values: Mapping[str, Json]) -> None:
    """A block of a cell was measured. Runs in the cell's process; `values` holds `seeds` and `metrics`."""
