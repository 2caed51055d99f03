"""A run as figures use it: its result, and the arrays stored for figures."""

from __future__ import annotations

import zipfile
import zlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.pairing import is_control
from harness.errors import BenchError
from harness.report.parts import View
from harness.report.view import view
from harness.report.words import NO_REASON, reason
from harness.results import Row, Run, Status
from harness.results.runs import records
from harness.worker.cells import SHOWN

if TYPE_CHECKING:
    import numpy

PREFIX = "exhibit/"


class StoredRun:
    """A `run`, and the folder `results` with its records."""

    def __init__(self, run: Run, results: Path) -> None:
        self.run, self.results = run, results

    @cached_property
    def view(self) -> View:
        """Return the run by problem and contender, named as in the report."""
        return view(self.run)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return every row, including those without numbers."""
        return self.run.cells

    def has(self, kind: str) -> bool:
        """Return whether a measured row has a component of the kind."""
        return any(kind in row.parameters for row in self.rows if row.status is Status.OK)

    def is_control(self, row: Row) -> bool:
        """Return whether a row is a control."""
        return is_control(self.run, row)

    def figure_data(self, row: Row) -> dict[str, numpy.ndarray]:
        """Return the arrays stored for the row's figures, by name. Raises BenchError if there are none."""
        if row.status is not Status.OK:
            raise BenchError(f"{row.status}: {reason(row.why) if row.why else NO_REASON}")
        if SHOWN not in row.seeds:
            raise BenchError(f"what figures show is kept of seed {SHOWN} only, which was not asked for")
        files = self._files.get(row.id)
        if not files:
            raise BenchError(f"nothing to show is kept under {self.results}: measure again with --fresh")
        found: dict[str, numpy.ndarray] = {}
        why = BenchError("nothing to show was kept when it was measured")
        for file in files:
            try:
                found |= _arrays(file)
            except BenchError as error:
                why = error
        if not found:
            raise why
        return found

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """Map each row to the files of the seed that is shown, the newest last, by this environment's records.

        There is one for every suite that measured other metrics of the cell.
        """
        found: dict[str, list[Path]] = {}
        for record in records(self.run, self.results):
            if SHOWN in record["seeds"] and (units := record.get("units")):
                found.setdefault(record["cell"], []).append(self.results / "units" / units)
        return found


def _arrays(file: Path) -> dict[str, numpy.ndarray]:
    """Return the arrays for figures in a file of results per example. Raises BenchError if it cannot be read."""
    import numpy

    try:
        with numpy.load(file) as arrays:
            return {name.removeprefix(PREFIX): arrays[name] for name in arrays.files if name.startswith(PREFIX)}
    except (OSError, EOFError, ValueError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise BenchError(f"{file.name} cannot be read: {why}") from None
