"""Reports: a run as text, by the name of a format. Loads a format's module only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from harness.errors import BenchError, near_miss
from harness.results import Run

__all__ = ["formats", "render"]

_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "console": "harness.report.console",
        "json": "harness.report.result",
        "csv": "harness.report.csv",
        "md": "harness.report.markdown",
        "latex": "harness.report.latex",
        "methods": "harness.report.methods",
        "pytest-benchmark": "harness.report.pytest_benchmark",
    }
)
"""Format name -> module with `render(run, width) -> str`."""


def formats() -> tuple[str, ...]:
    """The names `render` knows."""
    return tuple(_FORMATS)


def render(run: Run, format: str, width: int | None = None) -> str:
    """A run in one format, as text without escape codes.

    `width` in columns matters to `console` only (default: COLUMNS, else 100).
    An unknown format raises BenchError.
    """
    if format not in _FORMATS:
        raise BenchError(f"unknown format {format!r}{near_miss(format, _FORMATS)}")
    return str(importlib.import_module(_FORMATS[format]).render(run, width))
