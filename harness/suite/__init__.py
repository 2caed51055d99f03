"""Suites: read from YAML, checked against the component table, expanded to a grid.

Nothing here imports a plugin, torch or numpy; components are known as data, by the table of descriptions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.suite.cells import Cell, Point, Resources, Seeds, Suite, Tune
from harness.suite.check import check
from harness.suite.document import Document, read
from harness.suite.schema import json_schema

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table

__all__ = ["Cell", "Document", "Point", "Resources", "Seeds", "Suite", "Tune", "check", "json_schema", "load", "read"]


def load(path: str | os.PathLike[str], table: Table, overrides: Mapping[str, str] | None = None) -> Suite:
    """Load the suite in a file. Raises BenchError for a file that cannot be read, Mistakes for mistakes in it."""
    return check(read(path), table, overrides)
