"""The data set `parquet`: the table that `csv` makes of the same columns, by the types of the file."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import torch

from harness import BenchError, Examples
from tests.plugins.datasets import reading

pytest.importorskip("pyarrow")
import pyarrow
from pyarrow import parquet

FRAME = pandas.DataFrame(
    {
        "size": [1.5, None, 3.25, 1e-3] * 6,
        "count": range(7, 31),
        "color": ["red", "green", None, "blue"] * 6,
        "flag": [True, False, True, True] * 6,
        "y": ["u", "v", "v"] * 8,
    }
)


def write(folder: Path, table: Any) -> Path:
    file = folder / "table.parquet"
    if isinstance(table, pandas.DataFrame):
        table.to_parquet(file)
    else:
        parquet.write_table(pyarrow.table(table), file)
    return file


def load(folder: Path, table: Any, target: str = "y", **fields: Any) -> Examples:
    return reading.load("parquet", path=str(write(folder, table)), target=target, **fields)


def refusal(folder: Path, table: Any, target: str = "y", **fields: Any) -> str:
    return reading.refusal("parquet", write(folder, table), target=target, **fields)


@pytest.mark.parametrize("fields", [{}, {"standardize": False}, {"columns": {"ignore": ["count"]}}], ids=str)
def test_a_frame_is_the_table_that_its_csv_is(tmp_path: Path, fields: dict[str, Any]) -> None:
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    one, other = (
        load(tmp_path, FRAME, **fields),
        reading.load("csv", path=str(tmp_path / "table.csv"), target="y", **fields),
    )
    assert torch.equal(one.inputs.nan_to_num(-9), other.inputs.nan_to_num(-9))
    assert one.targets.tolist() == other.targets.tolist()
    assert (one.notes, one.missing, one.standardize) == (other.notes, other.missing, other.standardize)


def test_types_of_the_file_count(tmp_path: Path) -> None:
    columns = {
        "code": ["01", "1", "10"] * 4,
        "price": [decimal.Decimal("1.50"), None, decimal.Decimal("2")] * 4,
        "kind": pyarrow.array(["p", "q", None] * 4).dictionary_encode(),
        "small": pyarrow.array([1, None, 3] * 4, pyarrow.int8()),
        "y": [1, 2, 1] * 4,
    }
    data = load(tmp_path, columns, standardize=False)
    widths = {"code": 3, "price": 2, "kind": 3, "small": 2}
    assert data.inputs.shape == (12, sum(widths.values()))
    assert data.inputs[0].tolist() == [1, 0, 0, 1.5, 0, 1, 0, 0, 1, 0]
    assert data.targets.tolist() == [0, 1, 0] * 4


def test_an_index_of_pandas_is_ignored(tmp_path: Path) -> None:
    frame = FRAME.set_index(pandas.Index([f"id{k}" for k in range(24)], name="key"))
    data = load(tmp_path, frame)
    assert data.notes[0] == "'key' is ignored as an index"
    assert torch.equal(data.inputs.nan_to_num(), load(tmp_path, FRAME).inputs.nan_to_num())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": ["u", None, "v", "u"] * 6}, "row 2: missing value in 'y'; row 6: missing value in 'y'"),
        ({"y": ["u"] * 24}, "all rows have the same 'y': 'u'"),
        ({"size": [1.0, numpy.inf, 2.0] * 8}, "row 2: 'inf' in 'size' is not a finite number"),
        ({"color": [f"c{k}" for k in range(24)]}, "the text column 'color' has 24 categories in 24 rows, such as 'c0' in row 1"),
        ({"when": [datetime.date(2020, 1, 1 + k) for k in range(24)]}, "the text column 'when' has 24 categories"),
        ({"list": [[1, 2]] * 24}, "the column 'list' holds values of the type list<"),
        ({"bytes": [b"x"] * 24}, "the column 'bytes' holds values of the type binary: ignore it by columns: {ignore: ['bytes']}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    assert refusal(tmp_path, FRAME.assign(**change)).startswith(said)


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path, FRAME, "Y") == "no column 'Y' (choose from color, count, flag, size, y)"
    assert refusal(tmp_path, FRAME[["y"]]) == "no column beside the target 'y'"
    assert refusal(tmp_path, FRAME[:0]) == "has a header but no rows"
    assert "columns.ignore: no column 'colour', did you mean color?" in refusal(
        tmp_path, FRAME, columns={"ignore": ["colour"]}
    )
    with pytest.raises(BenchError, match=r"^parquet\.columns: no key 'drop'"):
        load(tmp_path, FRAME, columns={"drop": []})


def test_files_that_are_none(tmp_path: Path) -> None:
    whole = write(tmp_path, FRAME).read_bytes()
    for name, content in (("cut", whole[: len(whole) // 2]), ("text", b"a,y\n1,2\n"), ("ends", whole[:-8] + bytes(8))):
        (tmp_path / name).write_bytes(content)
        assert reading.refusal("parquet", tmp_path / name, target="y").startswith("is no Parquet file: ")
    assert (
        reading.refusal("csv", write(tmp_path, FRAME), target="y")
        == "is a Parquet file: read it with the data set parquet"
    )
