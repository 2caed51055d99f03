"""The data set `csv`: what it reads and what it says about files it cannot read."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from harness import BenchError, Examples
from harness.artifacts import check
from harness.conformance import check_component
from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.protocols.accuracy.split import split

REGISTRY = Registry(sources.stock())


def dataset(**fields: Any) -> Examples:
    data: Examples = REGISTRY.build("dataset", {"name": "csv", **fields}).load(torch.Generator())
    return data


def load(folder: Path, text: str | bytes, target: str = "y", **fields: Any) -> Examples:
    file = folder / "table.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    data = dataset(path=str(file), target=target, **fields)
    check(data)
    return data


def refusal(folder: Path, text: str | bytes, **fields: Any) -> str:
    with pytest.raises(BenchError) as caught:
        load(folder, text, **fields)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{folder / 'table.csv'}: ")


def column(cells: list[Any], labels: str = "uv") -> str:
    """A table of one column `a`, whose rows take turns in their class."""
    return "a,y\n" + "".join(f"{cell},{labels[place % 2]}\n" for place, cell in enumerate(cells))


def raw(folder: Path, text: str | bytes, **fields: Any) -> Examples:
    return load(folder, text, standardize=False, **fields)


def test_numbers_and_classes_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "a,y,b\n1,dog,-2.5\n3e-2,cat,4\n 5 ,dog,.5\n"
    data = raw(tmp_path, text, label_noise=0.1, imbalance=2)
    assert torch.equal(data.inputs, torch.tensor([[1, -2.5], [0.03, 4], [5, 0.5]]))
    assert data.targets.tolist() == [1, 0, 1]
    assert (data.classes, data.label_noise, data.imbalance, data.part) == (2, 0.1, 2.0, None)
    assert (data.standardize, data.missing, data.notes) == (False, False, ())
    assert torch.equal(load(tmp_path, text).inputs, torch.tensor([[0, -3], [-0.97, 3.5], [4, 0]]))  # minus the medians
    assert load(tmp_path, text).standardize


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "10"], [1, 0, 1]),
        (["1", "1.0", "2"], [0, 1, 2]),
        (["0123", "123", "02000", "123"], [0, 1, 2, 1]),
        (["123", "0123", "02000", "+123", "1.23e2"], [3, 1, 4, 0, 2]),
        (["00", "0", "-0"], [2, 1, 0]),
        (["-1", "1", "0"], [0, 2, 1]),
        (["10", "9", "x"], [0, 1, 2]),
        (["9007199254740993", "9007199254740992", "nan"], [1, 0, 2]),
        (["9007199254740993", "9007199254740992"], [1, 0]),
        (["b", "B", "é"], [1, 0, 2]),
        (["a b", "a  b", "a b "], [1, 0, 1]),
        (['"0123"', "0123", '" 0123 "', "123"], [0, 0, 0, 1]),
        (["nan", "inf", "1_0"], [2, 1, 0]),
        (["True", "true", "1"], [1, 2, 0]),
    ],
)
def test_labels_that_differ_as_text_are_classes_in_sorted_order(
    tmp_path: Path, labels: list[str], classes: list[int]
) -> None:
    assert load(tmp_path, "a,y\n" + "".join(f"0,{label}\n" for label in labels)).targets.tolist() == classes


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "10"], [1, 0, 1]),
        (["1", "1.0", "2"], [0, 0, 1]),
        (["0123", "123", "02000", "1.23e2"], [0, 0, 1, 0]),
        (["9007199254740993", "9007199254740992"], [1, 0]),
        (["-0", "0", ".1", "0.10", "0.1000000000000000000001"], [0, 0, 1, 1, 2]),
    ],
)
def test_labels_that_the_suite_calls_numbers_are_compared_by_value(
    tmp_path: Path, labels: list[str], classes: list[int]
) -> None:
    text = "a,y\n" + "".join(f"0,{label}\n" for label in labels)
    assert load(tmp_path, text, labels="number").targets.tolist() == classes


def test_labels_that_may_mislead_are_noted(tmp_path: Path) -> None:
    found = load(tmp_path, "a,y\n0,yes\n0,Yes\n0,no\n0,None\n0,1\n0,1.0\n").notes
    assert found[1:] == (
        "'y': '1' and '1.0', 'Yes' and 'yes' are different classes",
        "'y': 'None' is a class, of 1 rows",
    )
    assert load(tmp_path, "a,y\n0,yes\n1,no\n").notes == ()
    assert refusal(tmp_path, "a,y\n1,1\n2,x\n3,nan\n", labels="number") == (
        "line 3: 'x' in 'y' is not a finite number; line 4: 'nan' in 'y' is not a finite number"
    )


@pytest.mark.parametrize(
    "text",
    [
        codecs.BOM_UTF8 + b"a,b,y\n1,2,u\n3,4,v\n",
        b"a,b,y\r\n1,2,u\r\n3,4,v\r\n",
        b"a,b,y\r1,2,u\r3,4,v",
        b'"a","b","y"\n"1","2","u"\n"3","4","v"\n',
        b'a, "b", y\n1, "2", "u"\n3, 4, v\n',
        b"a , b, y\n1 , 2, u\n3,4,v",
        b"\na,b,y\n\n1,2,u\n  \n3,4,v\n\n",
        b",a,b,y\n0,1,2,u\n1,3,4,v\n",
        b'"","a","b","y"\n"one",1,2,"u"\n"two",3,4,"v"\n',
        b",Unnamed: 0,a,b,y\n0,7,1,2,u\n1,3,3,4,v\n",
        b"a,b,y,,\n1,2,u,,\n3,4,v,,\n",
    ],
    ids=["bom", "crlf", "cr", "quoted", "quoted after spaces", "spaces", "blank lines", "index of pandas", "index of R",
         "index read and written", "empty columns"],
)  # fmt: skip
def test_the_same_table_in_other_clothes(tmp_path: Path, text: bytes) -> None:
    data = raw(tmp_path, text)
    assert data.inputs.tolist() == [[1, 2], [3, 4]]
    assert data.targets.tolist() == [0, 1]


def test_quoted_cells_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    data = load(tmp_path, 'a;"y;\n2"\n1;"u;v"\n2;"u\nv"\n3;"u;v"\n', target="y;\n2", delimiter=";")
    assert data.targets.tolist() == [1, 0, 1]


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    assert load(tmp_path, "a,y\n1,u\u2028v\n2,u\x0cv\n").classes == 2


OFFSETS = ["1700000000", "-1700000000", "1000000000000", "123456789.5", "0.25"]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("standardize", [True, False])
def test_an_offset_of_a_column_changes_nothing(tmp_path: Path, offset: str, standardize: bool) -> None:
    draw = numpy.random.default_rng(0)
    times = [*draw.integers(0, 50, 100).tolist(), *(60 + draw.integers(0, 50, 100)).tolist()]
    plain = load(tmp_path, column(times), standardize=standardize)
    shifted = load(tmp_path, column([time + float(offset) for time in times]), standardize=standardize)
    gaps = [data.inputs.double() - data.inputs.double().mean(0) for data in (plain, shifted)]
    assert torch.allclose(gaps[0], gaps[1], rtol=0, atol=1e-12)
    if standardize:
        assert torch.equal(plain.inputs, shifted.inputs) and shifted.notes == ()
        for one, other in zip(split(plain, [0, 1], "seed"), split(shifted, [0, 1], "seed"), strict=True):
            assert torch.equal(one.inputs, other.inputs)
    else:
        assert torch.equal(
            plain.inputs[:, 0], torch.tensor(times).float()
        )  # in the units and with the origin of the file
        assert ["is subtracted from 'a', which" in note for note in shifted.notes] == [True] * (offset != "0.25")


@pytest.mark.parametrize("offset", ["1700000000", "98765432109876543"])
def test_decimals_beyond_float64_are_subtracted_exactly(tmp_path: Path, offset: str) -> None:
    cells = [f"{7 * place % 10}.{place}" for place in range(10)]
    shifted = [f"{int(offset) + int(cell[0])}.{cell[2:]}" for cell in cells]
    if offset == "1700000000":
        assert torch.equal(load(tmp_path, column(cells)).inputs, load(tmp_path, column(shifted)).inputs)
    else:
        assert "'a' is constant up to rounding" in refusal(tmp_path, column(shifted))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([0.1 + 0.2, 0.3] * 5, "the column 'a' is constant up to rounding: it spreads by 5.55e-17 about 0.3; ignore it"),
        ([1e9 * (k % 2) + k / 1e4 for k in range(20)], "float32 cannot resolve the column 'a': its 20 values spread by 1e+09"),
        ([k * 1e-42 for k in range(20)], "float32 cannot resolve the column 'a': its 20 values spread by 1.9e-41"),
        ([k * 1e38 for k in range(-3, 4)], "float32 cannot resolve the column 'a': its 7 values spread by 6e+38"),
    ],
    ids=["rounding", "two places", "tiny", "huge"],
)  # fmt: skip
@pytest.mark.parametrize("standardize", [True, False])
def test_columns_that_float32_cannot_hold_are_named(
    tmp_path: Path, cells: list[float], message: str, standardize: bool
) -> None:
    assert refusal(tmp_path, column(cells), standardize=standardize).startswith(message)


def test_columns_that_float32_can_hold_are_taken(tmp_path: Path) -> None:
    draw = numpy.random.default_rng(1)
    for cells in (draw.normal(size=2000), 1e5 + draw.normal(size=50), [0.0, 1e-9, *range(1, 20)], [*range(20), 1e30]):
        data = load(tmp_path, column([repr(float(cell)) for cell in cells]))
        exact = numpy.array(cells) - numpy.sort(cells)[(len(cells) - 1) // 2]
        numpy.testing.assert_allclose(data.inputs[:, 0].numpy(), exact, rtol=2e-7, atol=1e-12)
        assert data.notes == ()


@pytest.mark.parametrize("cells", [["1700000000"] * 4, ["0.1", ".1", "1e-1", "0.10"], ["0", "-0"], ["True"] * 3])
def test_a_constant_column_is_a_note(tmp_path: Path, cells: list[str]) -> None:
    data = load(tmp_path, column(cells))
    assert torch.equal(data.inputs, torch.full((len(cells), 1), float(cells[0] == "True")))
    assert data.notes == (f"'a' is constant, {cells[0]} in every row",)
    assert float(split(load(tmp_path, column(cells * 5)), [0], "seed").test.inputs.abs().max()) == 0


def frame(rows: int = 60) -> pandas.DataFrame:
    """A table with all that pandas has: numbers, counts, booleans, texts, dates in seconds, and gaps among them."""
    draw = numpy.random.default_rng(5)
    table = pandas.DataFrame(
        {
            "size": draw.normal(1e4, 300, rows),
            "age": draw.integers(18, 80, rows).astype(float),
            "color": draw.choice(["red", "green", "blue"], rows),
            "member": draw.random(rows) < 0.4,
            "town": draw.choice(["Ulm", "Köln, rechts", 'the "Ems"'], rows),
            "since": 1700000000 + draw.integers(0, 1000, rows),
            "y": draw.choice(["no", "yes"], rows),
        }
    )
    table.loc[draw.random(rows) < 0.2, "age"] = numpy.nan
    table.loc[draw.random(rows) < 0.2, "town"] = None
    return table


def expected(table: pandas.DataFrame, train: Any, rows: Any) -> numpy.ndarray[Any, Any]:
    """By scikit-learn: imputed with indicators, one-hot encoded, standardized, fitted to the training rows."""
    columns = []
    for name in table.columns.drop("y"):
        cells = table[[name]]
        if not pandas.api.types.is_numeric_dtype(cells[name]):
            codes = OneHotEncoder(sparse_output=False).fit_transform(cells.fillna("~ missing"))
            columns += [(codes, make_pipeline(StandardScaler()))]
        else:
            numbers = cells.astype(float).to_numpy()
            columns += [(numbers, make_pipeline(SimpleImputer(), StandardScaler()))]
            if numpy.isnan(numbers).any():
                columns += [(numpy.isnan(numbers).astype(float), make_pipeline(StandardScaler()))]
    return numpy.concatenate([steps.fit(every[train]).transform(every[rows]) for every, steps in columns], axis=1)


@pytest.mark.parametrize("na_rep", ["", "NA", "nan", "NULL", "None", "?", "<NA>", "N/A"])
@pytest.mark.parametrize("index", [True, False])
def test_a_table_as_pandas_writes_it_is_what_scikit_learn_makes_of_it(tmp_path: Path, na_rep: str, index: bool) -> None:
    table = frame()
    data = load(tmp_path, table.to_csv(index=index, na_rep=na_rep))
    assert data.inputs.shape == (60, 12) and data.missing
    parts = split(data, [0, 3], "seed")
    for k in range(2):
        train = parts.train.index[k].numpy()
        for part in parts:
            made = expected(table, train, part.index[k].numpy())
            numpy.testing.assert_allclose(part.for_seed(k).inputs.numpy(), made, rtol=1e-4, atol=1e-5)
            places = torch.arange(part.index.shape[1]).expand(2, -1)
            assert torch.equal(part.inputs_at(places)[k], part.for_seed(k).inputs)
    assert any("column 1 of the file has no name and is ignored as an index" in note for note in data.notes) == index


def test_a_table_with_gaps_passes_the_conformance_checks(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "table.csv")
    found = check_component(
        REGISTRY.build("dataset", {"name": "csv", "path": str(tmp_path / "table.csv"), "target": "y"})
    )
    assert [verdict.says for verdict in found if not verdict.passed] == []


def test_what_was_done_is_noted(tmp_path: Path) -> None:
    gaps = frame().isna().sum()
    assert load(tmp_path, frame().to_csv()).notes == (
        "column 1 of the file has no name and is ignored as an index",
        f"'age' ({gaps['age']}): missing values are replaced by the column's mean (of training rows), beside an indicator column",
        "'color' (3), 'town' (4): text becomes a 0/1 column for each category",
        f"'town' ({gaps['town']}): missing cells become a category",
    )


def test_rows_of_the_test_part_do_not_change_those_of_the_training_part(tmp_path: Path) -> None:
    table = frame()
    parts = split(load(tmp_path, table.to_csv()), [4], "seed")
    held_out = parts.test.index[0].tolist()
    known = [row for row in held_out if not numpy.isnan(table["age"][row])]
    table.loc[known, "age"] = 1e6
    table.loc[held_out, "size"] += 1e5
    table.loc[held_out, "since"] += 50
    again = split(load(tmp_path, table.to_csv()), [4], "seed")
    assert torch.equal(parts.train.index, again.train.index)
    assert torch.allclose(parts.train.inputs, again.train.inputs, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(parts.test.inputs, again.test.inputs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("cells", "inputs"),
    [
        (["True", "False", "true", "FALSE"], [[1], [0], [1], [0]]),
        (["True", "", "False", "?"], [[1, 0], [None, 1], [0, 0], [None, 1]]),
        (["b", "a", "b", "c"], [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        (["b", "", "b", "NA"], [[1, 0], [0, 1], [1, 0], [0, 1]]),
        (["1", "NaN", "3", "null"], [[1, 0], [None, 1], [3, 0], [None, 1]]),
        (["1", "na", "1", "1"], [[1, 0], [None, 1], [1, 0], [1, 0]]),
        (["yes", "no", "yes", "no"], [[0, 1], [1, 0], [0, 1], [1, 0]]),
        (["XS", "38", "M", "L"], [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]),
    ],
)  # fmt: skip
def test_columns_are_what_their_cells_are(tmp_path: Path, cells: list[str], inputs: list[list[float | None]]) -> None:
    text = column(cells)
    if cells[0] == "XS":
        assert "has 4 categories in 4 rows" in refusal(tmp_path, text)
        return
    found = raw(tmp_path, text)
    assert [[None if x != x else x for x in row] for row in found.inputs.tolist()] == inputs
    assert found.missing == any(None in row for row in inputs)


def test_constant_cells_beside_gaps_are_noted(tmp_path: Path) -> None:
    for cells in (["7", "", "7.0", "7"], ["True", "", "True", "True"], ["a", "", "a", "a"]):
        assert load(tmp_path, column(cells)).notes[0] == f"'a' is constant, {cells[0]} in every row with a value"


@pytest.mark.parametrize(
    "cells", [["1", "2", "3", "x"], ["5", "6", "-", "-", "-", "-", "-"], ["1", "2+"], ["1", "1_0", "2"]]
)
def test_a_column_of_numbers_has_no_texts(tmp_path: Path, cells: list[str]) -> None:
    wrong = next(cell for cell in cells if cell in ("x", "-", "2+", "1_0"))
    message = refusal(tmp_path, column(cells))
    assert message.startswith(f"line {cells.index(wrong) + 2}: {wrong!r} in 'a' is not a finite number")
    assert message.endswith("columns: {categorical: [...]}") == (wrong != "1_0")
    assert load(tmp_path, column(cells * 4), columns={"categorical": ["a"]}).inputs.shape[1] == len(set(cells))


def test_infinity_is_no_code(tmp_path: Path) -> None:
    assert refusal(tmp_path, column(["1", "inf", "3"])) == "line 3: 'inf' in 'a' is not a finite number"


def test_leading_zeros_of_inputs_are_noted(tmp_path: Path) -> None:
    zeros = ("'a': numbers with leading zeros: categorical, if they are codes",)
    assert load(tmp_path, column(["02134", "10001", "2134"])).notes == zeros
    assert load(tmp_path, column(["0.5", "0", "-0.1", "1e05"])).notes == ()


def test_codes_are_categories_where_the_suite_says_so(tmp_path: Path) -> None:
    text = "zip,id,y\n02134,1,u\n2134,2,v\n10001,3,u\n02134,4,v\n10001,5,u\n,6,u\n"
    data = raw(tmp_path, text, columns={"categorical": ["zip"], "ignore": ["id"]})
    rows = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert data.inputs.tolist() == rows and not data.missing
    assert "'zip': '02134' and '2134' are different categories" in data.notes
    assert raw(tmp_path, text, columns={}).inputs.shape == (6, 3)
    one = "0,1,y\n5,1,u\n6,2,v\n"
    assert raw(tmp_path, one, columns={"ignore": [0]}).inputs.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ignor": ["a"]}, "csv.columns: no key 'ignor', did you mean ignore?"),
        ({"ignore": "age"}, "csv.columns: ignore takes a list of columns, {ignore: [a, b]}, got 'age'"),
        ({"ignore": ["aeg"]}, "columns.ignore: no column 'aeg', did you mean age?"),
        ({"categorical": ["age", "heigt"]}, "columns.categorical: no column 'heigt', did you mean height?"),
        ({"ignore": ["y"]}, "columns.ignore: 'y' is the target"),
        ({"ignore": ["age"], "categorical": ["age"]}, "columns: 'age' is to be ignored and categorical"),
        ({"ignore": ["age", "height"]}, "no column with a value beside the target 'y'"),
    ],
)
def test_uses_of_columns_are_checked(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    assert refusal(tmp_path, "age,height,y\n1,2,u\n2,3,v\n", columns=columns) == message


def test_columns_of_no_use_are_named_together(tmp_path: Path) -> None:
    rows = "".join(f"name {k},{k % 7},{k % 3}{'ab'[k % 2]},{'uv'[k % 2]}\n" for k in range(30))
    text = "name,n,code,y\n" + rows
    why = "the text column 'name' has 30 categories in 30 rows, such as 'name 0' in line 2: ignore it by columns: {ignore: ['name']}"
    assert refusal(tmp_path, text) == why
    assert load(tmp_path, text, columns={"ignore": ["name"]}).inputs.shape == (30, 7)
    many = column([f"c{k % 101}" for k in range(1000)])
    assert "has 101 categories in 1000 rows" in refusal(tmp_path, many)
    assert load(tmp_path, column([f"c{k % 100}" for k in range(1000)])).inputs.shape == (1000, 100)
    assert "; the text column 'b' has" in refusal(
        tmp_path, "a,b,y\n" + "".join(f"p{k},q{k},{k % 2}\n" for k in range(9))
    )


def test_an_index_with_a_name_is_noted_and_kept(tmp_path: Path) -> None:
    text = "id,a,y\n" + "".join(f"{k},{k % 4},{k % 2}\n" for k in range(1, 13))
    data = load(tmp_path, text)
    assert data.inputs.shape == (12, 2) and data.notes == ("'id': counts the rows: ignore it if it is an index",)
    kept = "Unnamed: 0,y\n3,u\n3,v\n4,u\n"
    assert raw(tmp_path, kept).inputs.tolist() == [[3], [3], [4]]


def test_a_column_without_values_is_left_out(tmp_path: Path) -> None:
    data = raw(tmp_path, "a,b,y\n,1,u\nNA,2,v\n")
    assert data.inputs.tolist() == [[1], [2]] and data.notes == ("'a': has no value in any row and is left out",)


def test_bad_rows_are_reported_together(tmp_path: Path) -> None:
    text = 'a,b,y\n1,2,u\n1,,u\n1,2\n\nx,2,v\n"1\n",2,v\n1,2,\n1,inf,v\n1,1e39,v\n1,nan,v\n1,1_0,v\n1,"2,5",v\n'
    assert refusal(tmp_path, text) == (
        "line 4: 2 columns, expected 3; line 6: 'x' in 'a' is not a finite number; line 9: missing value in 'y'; "
        "line 10: 'inf' in 'b' is not a finite number; line 11: '1e39' in 'b' is not a finite number; and 2 more; "
        "leave cells without a value empty, name columns of codes in columns: {categorical: [...]}"
    )
    assert refusal(tmp_path, "a;y\n1,5;u\n2,5;v\n", delimiter=";").startswith(
        "line 2: '1,5' in 'a' is not a finite number: a number has a point and no comma; line 3: "
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,y\n", "has a header but no rows"),
        ("a,label\n1,u\n", "line 1: no column 'y' (choose from a, label)"),
        ("\na,yy\n1,u\n", "line 2: no column 'y', did you mean yy?"),
        ("5.1,0\n4.2,1\n", "line 1: no column 'y' (choose from 0, 5.1); is the header missing?"),
        ("y\nu\nv\n", "line 1: no column beside the target 'y'"),
        ("a,b,a,y\n1,2,3,u\n", "line 1: two columns are called 'a'"),
        ("a,,y\n0,1,u\n", "line 1: column 2 has no name"),
        ("a;y\n0;u\n1;v\n", "line 1: one column; is the delimiter ';'?"),
        ("a;b,c;y\n0;1;u\n", "line 1: no column 'y' (choose from a;b, c;y)"),
        ("a\ty\n0\tu\n", "line 1: one column; is the delimiter '\\t'?"),
        ("a|b;c|y\n0|1|u\n", "line 1: one column; is the delimiter '|'?"),
        ("a y\n0 u\n", "line 1: one column; is the delimiter ' '?"),
        ('"first name";"y"\nu;v\n', "line 1: one column; is the delimiter ';'?"),
        ("first name\nu\nv\n", "line 1: no column 'y' (choose from first name)"),
        ("a,y\n1,u,\n2,v,\n", "line 1: 2 columns, but 3 in every row; do they end with a ','?"),
        ("a,y\n0,1,u\n1,2,v\n", "line 1: 2 columns, but 3 in every row; does the header lack the name of the first column?"),
        ("a,y\n1\n2,v\n3,u,v\n", "line 2: 1 columns, expected 2; line 4: 3 columns, expected 2"),
        ("a,y\n1,u\n2,u\n", "all rows have the same 'y': 'u'"),
        ("a,y\n1,u\n2, u\n", "all rows have the same 'y': 'u'"),
        (b"a,y\n1,u\n2,caf\xe9\n", "line 3, character 6: not UTF-8 text (byte 0xe9), save the file as UTF-8"),
        ("é,y\né1,u\n".encode() + b"\xc3\xa9\xe9,v\n", "line 3, character 2: not UTF-8 text (byte 0xe9), save the file as UTF-8"),
        ("a,y\n1,u\n2,v\n".encode("utf-16"), "is UTF-16 text: save it as UTF-8"),
        (b"PK\x03\x04\x14", "is an Excel workbook or a zip archive: save the table as CSV"),
        ('a,y\n1,u\n2,"v\n3,w\n', "line 3: unexpected end of data"),
        ('a,y\n1,u\n2,"v"w\n3,w\n', "line 3: ',' expected after '\"'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_file(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert refusal(tmp_path, text) == message


def test_labels_of_one_value_are_one_class_by_number(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a,y\n1,1\n2,1.0\n", labels="number") == "all rows have the same 'y': '1'"


def test_the_delimiter_in_use_is_not_guessed(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a,y\n1,u\n", delimiter=";") == "line 1: one column; is the delimiter ','?"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"nowhere\.csv: cannot be read: No such file"):
        dataset(path=str(tmp_path / "nowhere.csv"), target="y")
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path, tmp_path / "pipe.csv"):
        with pytest.raises(BenchError, match="is not a regular file"):
            dataset(path=str(path), target="y")


@pytest.mark.parametrize("delimiter", ["", ";;", "\n", '"'])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    assert refusal(tmp_path, "a,y\n1,u\n2,v\n", delimiter=delimiter).startswith("csv.delimiter: expected one character")
