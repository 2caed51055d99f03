"""A table from a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness import BenchError, Dataset, errors, hookimpl

from ._cells import cells
from ._csv_text import Row, shown
from ._files import check_file
from ._tabular import Table, Tabular


class Parquet(Tabular):
    """Table from a Parquet file, of which one column holds the classes.

    Columns are treated as by `csv`, with the types of the file:

    - Numbers and booleans are numbers, nulls and NaN among them missing values.
    - Texts and categories become a 0/1 column for each category, texts of digits too.
    - Dates, times and other plain values are texts. A column of lists or mappings is an error.
    - What pandas stored as the index is ignored, with a note.

    `target`, `columns`, `labels`, `standardize`, the notes and the errors are those of `csv`; rows count from 1. Needs
    the package pyarrow: `pip install 'touchstone-bench[parquet]'`.

    `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError in one line with the file;
    `bench validate` reads the file too.
    """

    def read(self) -> Table:
        """Cells of the file."""
        check_file(self.path)
        table = _arrow_table(self.path)
        names: list[str] = table.column_names
        _check_target(names, self.target)
        index = _index(table.schema.metadata or {})
        ignored = {*(self.columns or {}).get("ignore", ()), *index}
        columns = [[""] * len(table) if n in ignored else _cells(table.column(k), n) for k, n in enumerate(names)]
        rows = [Row(number, list(row)) for number, row in enumerate(zip(*columns, strict=True), 1)]
        texts = [name for name, field in zip(names, table.schema, strict=True) if _is_text(field.type)]
        indexes = [name for name in index if name != self.target]
        return Table(Row(0, names), rows, self.target, "row", texts, indexes)


def _arrow_table(path: str) -> Any:
    """Read the whole file. Raises BenchError without pyarrow, or for another kind of file."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        what = "Parquet files are read with pyarrow, which is not installed: pip install 'touchstone-bench[parquet]'"
        raise BenchError(what) from None
    try:
        return parquet.ParquetFile(path).read()
    except (OSError, pyarrow.ArrowException) as error:
        raise BenchError(f"is no Parquet file: {str(error).splitlines()[0]}") from None


def _check_target(names: list[str], target: str) -> None:
    """Raises BenchError where the target is no column, the only one, or a name stands for two."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BenchError(f"two columns are called {', '.join(map(shown, twice))}")
    if target not in names:
        raise BenchError(f"no column {shown(target)}{errors.near_miss(target, names)}")
    if len(names) == 1:
        raise BenchError(f"no column beside the target {target!r}")


def _index(metadata: Mapping[bytes, bytes]) -> list[str]:
    """Return the columns that pandas stored as the index."""
    try:
        found = json.loads(metadata.get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError):
        return []
    return [name for name in found if isinstance(name, str)]


def _is_text(kind: Any) -> bool:
    """Return whether an arrow type holds texts or categories."""
    from pyarrow import types

    return any(is_kind(kind) for is_kind in (types.is_string, types.is_large_string, types.is_dictionary))


def _cells(column: Any, name: str) -> list[str]:
    """Return the texts of a column. Raises BenchError for one of lists, mappings or bytes."""
    from pyarrow import types

    if types.is_nested(column.type) or types.is_binary(column.type) or types.is_large_binary(column.type):
        why = f"holds values of the type {column.type}: ignore it by columns: {{ignore: [{shown(name)}]}}"
        raise BenchError(f"the column {shown(name)} {why}")
    return cells(column.to_pylist())


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Parquet]
