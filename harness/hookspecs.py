"""Hooks of plugins: registration and events. Markers are inert; importing them changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from harness.base import Component
from harness.fields import Json

if TYPE_CHECKING:
    from harness.engines import Engine

PROJECT = "bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def components() -> Sequence[type[Component]]:  # type: ignore[empty-body]
    """Return the component classes of this plugin."""


@hookspec
def engines() -> Mapping[str, type[Engine]]:  # type: ignore[empty-body]
    """Return the engines of this plugin by the names that `--engine` takes. It is called in the command's process."""


@hookspec
def case_started(cell: Mapping[str, Json]) -> None:
    """Called when a cell's process has started, in that process; `cell` holds `id`, `vary` and `parameters`."""


@hookspec
def case_finished(cell: Mapping[str, Json], values: Mapping[str, Json]) -> None:
    """Called after a block of a cell was measured, in its process; `values` holds `seeds` and `metrics`."""
