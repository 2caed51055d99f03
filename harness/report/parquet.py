"""A run as a Parquet file: the table of `csv` with typed columns, written by pyarrow."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from typing import Any

from harness.errors import BenchError
from harness.report.csv import Value, table
from harness.report.parts import Arrangement
from harness.report.view import AS_IT_IS, view
from harness.results import Run


def render(run: Run, width: int | None = None, arrangement: Arrangement = AS_IT_IS) -> bytes:
    """Render the table; `width` is not used. Raises BenchError if pyarrow is not installed."""
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        said = "Parquet files are written with pyarrow, which is not installed: pip install 'touchstone-bench[parquet]'"
        raise BenchError(said) from None
    heads, rows = table(view(run, arrangement))
    columns = [_column(arrow, [row[place] for row in rows]) for place in range(len(heads))]
    stream = io.BytesIO()
    parquet.write_table(arrow.Table.from_arrays(columns, names=heads), stream)
    return stream.getvalue()


def _column(arrow: Any, values: Sequence[Value]) -> Any:
    """Return a column of truth values, of whole numbers, of numbers, or else of texts; None is null everywhere."""
    known = {type(value) for value in values if value is not None}
    for types, kind in (({bool}, arrow.bool_()), ({int}, arrow.int64()), ({int, float}, arrow.float64())):
        if known and known <= types:
            return arrow.array(values, kind)
    return arrow.array([None if value is None else str(value) for value in values], arrow.string())
