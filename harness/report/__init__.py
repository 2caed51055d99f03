"""Reports: a run as text in a named format. Loads a format's module only on use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType

from harness.errors import BenchError, near_miss
from harness.report.parts import Arrangement
from harness.results import Run

__all__ = ["BINARY", "content", "formats", "render"]

_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "console": "harness.report.console",
        "json": "harness.report.result",
        "html": "harness.report.html",
        "csv": "harness.report.csv",
        "parquet": "harness.report.parquet",
        "md": "harness.report.markdown",
        "latex": "harness.report.latex",
        "methods": "harness.report.methods",
        "pytest-benchmark": "harness.report.pytest_benchmark",
    }
)
"""Format name -> module with `render(run, width) -> str`, or bytes."""

_ARRANGED = ("console", "csv", "parquet", "md", "latex")
"""Formats with tables that a reader can sort and choose columns of: `render(run, width, arrangement)`."""

BINARY = ("parquet",)
"""Formats that are no text."""


def formats() -> tuple[str, ...]:
    """Return the names of formats that `render` supports."""
    return tuple(_FORMATS)


def render(run: Run, format: str, width: int | None = None, arrangement: Arrangement | None = None) -> str:
    """Render a run in one format, as text without escape codes.

    `width` in columns affects only `console` (default: COLUMNS, else 100); `arrangement` sorts rows and chooses columns
    of tables. Raises BenchError for an unknown format, for one that is no text, and for an arrangement of one without
    tables.
    """
    if format in BINARY:
        raise BenchError(f"{format} is no text")
    return str(_rendered(run, format, width, arrangement))


def content(run: Run, format: str, arrangement: Arrangement | None = None) -> bytes:
    """Render a run in one format, as the content of a file; text is in UTF-8. Raises BenchError as `render` does."""
    found = _rendered(run, format, None, arrangement)
    return found if isinstance(found, bytes) else found.encode()


def _rendered(run: Run, format: str, width: int | None, arrangement: Arrangement | None) -> str | bytes:
    if format not in _FORMATS:
        raise BenchError(f"unknown format {format!r}{near_miss(format, _FORMATS)}")
    module = importlib.import_module(_FORMATS[format])
    if arrangement is not None and format not in _ARRANGED:
        raise BenchError(f"--sort and --columns are for tables ({', '.join(_ARRANGED)}), not for {format}")
    found: str | bytes = module.render(run, width, *([arrangement] if arrangement else []))
    return found
