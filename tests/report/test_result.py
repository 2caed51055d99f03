"""A result as an object, as JSON and as a table."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from harness.errors import BenchError
from harness.report import formats, render
from harness.report.result import Result

from .factory import LOSSES, METRICS, PROBLEMS, mean_of, result, without


def test_numbers_round_trip() -> None:
    data = result()
    numbers = [0.1 + 0.2, 1e-300, -0.0, 2**53 + 1, 1 / 3, 5e-324, 1.7976931348623157e308]
    data["cells"][0] |= {"seeds": list(range(len(numbers))), "notes": ["± ü 数"]}
    data["cells"][0]["metrics"]["accuracy"]["values"] = numbers
    back = json.loads(Result(data).to_json())
    assert back == data
    assert list(map(repr, back["cells"][0]["metrics"]["accuracy"]["values"])) == list(map(repr, numbers))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_json_does_not_have(number: float) -> None:
    data = result()
    data["cells"][0]["metrics"]["accuracy"]["mean"] = number
    with pytest.raises(ValueError, match="JSON"):
        Result(data).to_json()


def test_json_fits_any_stream() -> None:
    text = Result({"question": "± ü 数"}).to_json()
    assert text.isascii() and text.endswith("}\n")


def test_parts() -> None:
    data = result() | {"exit": 3}
    found = Result(data)
    assert (found.cells, found.exit, found.answer) == (data["cells"], 3, data["answer"])
    assert repr(found) == "Result(losses-on-digits: The long one beats cross_entropy.)"
    assert (Result({}).cells, Result({}).exit, Result({}).answer) == ([], 0, "")


def test_one_row_per_cell_seed_and_metric() -> None:
    data = result()
    data["cells"][1] = without(data["cells"][1], "crashed", "signal 11")
    rows = list(Result(data).rows())
    measured = len(PROBLEMS) * len(LOSSES) - 1
    assert len(rows) == measured * len(METRICS) * 2 + 1
    assert list(rows[0]) == ["dataset", "loss", "model", "status", "seed", "metric", "value"]
    [lost] = [row for row in rows if row["status"] == "crashed"]
    assert (lost["loss"], lost["seed"], lost["metric"], lost["value"]) == ("hinge", None, None, None)
    wanted = {"dataset": PROBLEMS[1], "loss": "focal", "metric": "nll"}
    pair = [row["value"] for row in rows if wanted.items() <= row.items()]
    assert sum(pair) / 2 == pytest.approx(mean_of(1, 4, 1))


def test_values_must_match_seeds() -> None:
    data = result()
    data["cells"][0]["seeds"] = [0, 1, 2]
    with pytest.raises(ValueError, match="zip"):
        list(Result(data).rows())


def test_frame_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BenchError, match="needs pandas"):
        Result(result()).to_frame()


def test_frame_holds_the_rows() -> None:
    pytest.importorskip("pandas")
    frame = Result(result()).to_frame()
    assert frame.to_dict("records") == list(Result(result()).rows())
    assert list(Result({}).to_frame().columns) == ["status", "seed", "metric", "value"]


def test_formats_are_found_by_name() -> None:
    assert formats() == ("console", "json", "csv", "md", "latex", "methods", "pytest-benchmark")
    assert render(result(), "json") == Result(result()).to_json()
    assert "losses-on-digits" in render(result(), "console")
    with pytest.raises(BenchError, match="unknown format 'consol', did you mean console"):
        render(result(), "consol")


def test_json_loads_nothing_heavy() -> None:
    heavy = "{'rich', 'numpy', 'scipy', 'pandas', 'torch'}"
    code = f"import sys; from harness.report import render; render({{}}, 'json'); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
