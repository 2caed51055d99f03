"""The data set `csv`: what it reads and what it says about files it cannot read."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import pytest
import torch

from harness import BenchError, Examples
from harness.artifacts import check
from harness.discovery.registry import component


def load(folder: Path, text: str | bytes, target: str = "y", **fields: Any) -> Examples:
    file = folder / "table.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    data: Examples = component("dataset", "csv", path=str(file), target=target, **fields).load(torch.Generator())
    return data


def refusal(folder: Path, text: str | bytes, **fields: Any) -> str:
    with pytest.raises(BenchError) as caught:
        load(folder, text, **fields)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{folder / 'table.csv'}: ")


def test_numbers_and_classes_in_the_order_of_the_file(tmp_path: Path) -> None:
    data = load(tmp_path, "a,y,b\n1,dog,-2.5\n3e-2,cat,4\n 5 ,dog,.5\n", label_noise=0.1, imbalance=2)
    check(data)
    assert torch.equal(data.inputs, torch.tensor([[1, -2.5], [0.03, 4], [5, 0.5]]))
    assert data.targets.tolist() == [1, 0, 1]
    assert (data.classes, data.label_noise, data.imbalance, data.part) == (2, 0.1, 2.0, None)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "10"], [1, 0, 1]),
        (["1", "1.0", "2"], [0, 0, 1]),
        (["-1", "1", "0"], [0, 2, 1]),
        (["10", "9", "x"], [0, 1, 2]),
        (["9007199254740993", "9007199254740992", "nan"], [1, 0, 2]),
        (["9007199254740993", "9007199254740992"], [1, 0]),
        (["b", "B", "é"], [1, 0, 2]),
        (["nan", "inf", "1_0"], [2, 1, 0]),
    ],
)
def test_labels_are_numbered_in_sorted_order(tmp_path: Path, labels: list[str], classes: list[int]) -> None:
    assert load(tmp_path, "a,y\n" + "".join(f"0,{label}\n" for label in labels)).targets.tolist() == classes


@pytest.mark.parametrize(
    "text",
    [
        codecs.BOM_UTF8 + b"a,b,y\n1,2,u\n3,4,v\n",
        b"a,b,y\r\n1,2,u\r\n3,4,v\r\n",
        b"a,b,y\r1,2,u\r3,4,v",
        b'"a","b","y"\n"1","2","u"\n"3","4","v"\n',
        b"a , b, y\n1 , 2, u\n3,4,v",
        b"a,b,y\n\n1,2,u\n\n3,4,v\n\n",
    ],
    ids=["bom", "crlf", "cr", "quoted", "spaces", "blank lines"],
)
def test_the_same_table_in_other_clothes(tmp_path: Path, text: bytes) -> None:
    data = load(tmp_path, text)
    assert data.inputs.tolist() == [[1, 2], [3, 4]]
    assert data.targets.tolist() == [0, 1]


def test_quoted_cells_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    data = load(tmp_path, 'a;"y;\n2"\n1;"u;v"\n2;"u\nv"\n3;"u;v"\n', target="y;\n2", delimiter=";")
    assert data.targets.tolist() == [1, 0, 1]


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    assert load(tmp_path, "a,y\n1,u\u2028v\n2,u\x0cv\n").classes == 2


def test_bad_rows_are_reported_together(tmp_path: Path) -> None:
    text = 'a,b,y\n1,2,u\n1,,u\n1,2\n\nx,2,v\n"1\n",2,v\n1,2,\n1,inf,v\n1,1e39,v\n1,nan,v\n1,1_0,v\n'
    assert refusal(tmp_path, text) == (
        "line 3: missing value in 'b'; line 4: 2 columns, expected 3; line 6: 'x' in 'a' is not a finite number; "
        "line 9: missing value in 'y'; line 10: 'inf' in 'b' is not a finite number; and 3 more bad rows"
    )


@pytest.mark.verify
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,y\n", "has a header but no rows"),
        ("a,label\n1,u\n", "has no column 'y' (choose from a, label)"),
        ("a,yy\n1,u\n", "has no column 'y', did you mean yy?"),
        ("y\nu\nv\n", "has no column beside the target 'y'"),
        ("a,b,a,y\n1,2,3,u\n", "line 1: two columns are called 'a'"),
        (",a,y\n0,1,u\n", "line 1: column 1 has no name"),
        ("a,y\n1,u\n2,u\n", "all rows have the same 'y': 'u'"),
        ("a,y\n1,1\n2,1.0\n", "all rows have the same 'y': '1'"),
        (b"a,y\n1,u\n2,caf\xe9\n", "line 3: not UTF-8 text (byte 0xe9)"),
        ('a,y\n1,u\n2,"v\n3,w\n', "line 3: unexpected end of data"),
    ],
)
def test_what_is_wrong_with_the_file(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"nowhere\.csv: cannot be read: No such file"):
        component("dataset", "csv", path=str(tmp_path / "nowhere.csv"), target="y").load(torch.Generator())


@pytest.mark.parametrize("delimiter", ["", ";;", "\n", '"'])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    assert refusal(tmp_path, "a,y\n1,u\n2,v\n", delimiter=delimiter).startswith("csv.delimiter: expected one character")
