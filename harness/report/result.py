"""A result: what a run answers, as an object, as JSON and as a table of values."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import BenchError


class Result:
    """The outcome of a run; `data` is exactly the result JSON."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """One entry per point of the grid, failed and skipped ones too."""
        return list(self.data.get("cells") or [])

    @property
    def answer(self) -> str:
        """The suite's question, answered in words."""
        return str(self.data.get("answer") or "")

    @property
    def exit(self) -> int:
        """The exit code the command ends with."""
        return int(self.data.get("exit") or 0)

    def __repr__(self) -> str:
        return f"Result({self.data.get('suite') or 'unnamed'}: {self.answer or 'no answer'})"

    def to_json(self) -> str:
        """The result as JSON text in ASCII; numbers round-trip. NaN and infinity raise ValueError."""
        return json.dumps(self.data, allow_nan=False, indent=2) + "\n"

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per cell, seed and metric: the axes, status, seed, metric, value.

        A cell without values is one row whose seed, metric and value are None.
        """
        for cell in self.cells:
            vary = cell.get("vary") or {}
            start = {**{axis: vary.get(axis) for axis in self._axes()}, "status": cell.get("status")}
            for seed, metric, value in _values(cell):
                yield {**start, "seed": seed, "metric": metric, "value": value}

    def to_frame(self) -> Any:
        """`rows()` as a pandas DataFrame; BenchError where pandas is not installed."""
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise BenchError("to_frame() needs pandas, which is not installed: pip install pandas") from None
        return pandas.DataFrame(list(self.rows()), columns=[*self._axes(), "status", "seed", "metric", "value"])

    def _axes(self) -> list[str]:
        varied = (axis for cell in self.cells for axis in cell.get("vary") or {})
        return list(dict.fromkeys([*(self.data.get("axes") or {}), *varied]))


def _values(cell: Mapping[str, Any]) -> list[tuple[int | None, str | None, float | None]]:
    """(seed, metric, value); one triple of None where there is no value."""
    seeds = cell.get("seeds") or []
    metrics = [(name, entry["values"]) for name, entry in (cell.get("metrics") or {}).items() if entry]
    found = [(seed, name, value) for name, values in metrics for seed, value in zip(seeds, values, strict=True)]
    return [*found] or [(None, None, None)]


def render(result: Mapping[str, Any], width: int | None = None) -> str:
    """The result as JSON text; `width` is not used."""
    return Result(result).to_json()
