"""A run as figures see it: its result, and what was kept of it to be shown."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.engines.cells import SHOWN
from harness.errors import BenchError
from harness.history.runs import records
from harness.report.parts import View
from harness.report.view import view

if TYPE_CHECKING:
    import numpy

PREFIX = "exhibit/"


class Run:
    """`data` is the result JSON; `results` is the folder whose records it was made from."""

    def __init__(self, data: Mapping[str, Any], results: Path) -> None:
        self.data, self.results = data, results

    @cached_property
    def view(self) -> View:
        """The result by problem and contender, named as in the report."""
        return view(self.data)

    @property
    def cells(self) -> list[Mapping[str, Any]]:
        """Every cell, those without numbers too."""
        return list(self.data.get("cells") or [])

    def has(self, kind: str) -> bool:
        """Whether a measured cell has a component of the kind."""
        return any(kind in (cell.get("parameters") or {}) for cell in self.cells if cell.get("status") == "ok")

    def controls(self, cell: Mapping[str, Any]) -> bool:
        """Whether a cell is no method but a yardstick."""
        known = {tuple(pair) for pair in self.data.get("controls") or []}
        return any((kind, spec.get("name")) in known for kind, spec in (cell.get("parameters") or {}).items())

    def exhibit(self, cell: Mapping[str, Any]) -> dict[str, numpy.ndarray]:
        """What the protocol kept of the cell to be shown, arrays by name. Raises BenchError where that is not there."""
        import numpy

        if cell.get("status") != "ok":
            raise BenchError(f"{cell.get('status')}: {cell.get('reason') or 'no reason given'}")
        if SHOWN not in (cell.get("seeds") or []):
            raise BenchError(f"what figures show is kept of seed {SHOWN} only, which was not asked for")
        file = self._files.get(str(cell.get("id")))
        if file is None:
            raise BenchError(f"nothing to show is kept under {self.results}: measure again with --fresh")
        try:
            with numpy.load(file) as arrays:
                found = {name.removeprefix(PREFIX): arrays[name] for name in arrays.files if name.startswith(PREFIX)}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or error
            raise BenchError(f"{file.name} cannot be read: {reason}") from None
        if not found:
            raise BenchError("nothing to show was kept when it was measured")
        return found

    @cached_property
    def _files(self) -> dict[str, Path]:
        """Cell -> the file of the seed that is shown, by the records of this environment; the newest counts."""
        return {
            record["cell"]: self.results / "units" / record["units"]
            for record in records(self.data, self.results)
            if SHOWN in record["seeds"] and record.get("units")
        }
