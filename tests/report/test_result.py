"""A run as an object, as JSON and as a table."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.errors import BenchError
from harness.report import formats, render
from harness.report.answer import answer
from harness.report.result import Result
from harness.results import Rank, Run, Status
from harness.results.codec import dumps, from_json

from .factory import LOSSES, METRICS, PROBLEMS, comparison, lost, mean_of, on_rows, result, with_metric

NOTHING = Run(suite="", question="", run="", protocol="")


def test_numbers_round_trip() -> None:
    numbers = (0.1 + 0.2, 1e-300, -0.0, 2.0**53 + 2, 1 / 3, 5e-324, 1.7976931348623157e308)
    data = on_rows(
        result(),
        lambda cell: replace(
            with_metric(cell, "accuracy", values=numbers), seeds=tuple(range(len(numbers))), notes=("± ü 数",)
        ),
        0,
    )
    back = json.loads(Result(data).to_json())
    assert from_json(back) == Result(data).run
    assert list(map(repr, back["cells"][0]["metrics"]["accuracy"]["values"])) == list(map(repr, numbers))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_json_has_null_for_what_json_does_not_have(number: float) -> None:
    data = on_rows(result(), lambda cell: with_metric(cell, "accuracy", mean=number), 0)
    assert json.loads(Result(data).to_json())["cells"][0]["metrics"]["accuracy"]["mean"] is None
    with pytest.raises(ValueError, match="JSON"):
        dumps({"mean": number})


def test_json_fits_any_stream() -> None:
    text = Result(replace(NOTHING, question="± ü 数")).to_json()
    assert text.isascii() and text.endswith("}\n")


def test_json_says_in_words_what_it_has_as_data() -> None:
    """The keys of the contract; words stand beside the data they are made of."""
    found = json.loads(Result(lost(result(), 1, Status.CRASHED, "signal 11")).to_json())
    assert {"schema", "suite", "question", "run", "protocol", "exit", "environment"} <= set(found)
    assert found["schema"] == 2 and found["answer"] == answer(from_json(found)) != ""
    cell, crashed = found["cells"][2], found["cells"][1]
    keys = {"id", "vary", "parameters", "settings", "tuned", "status", "reason", "seconds", "peak_memory", "seeds"}
    assert keys | {"metrics", "against", "best"} <= set(cell)
    assert (crashed["status"], crashed["reason"], cell["reason"]) == ("crashed", "signal 11", None)
    assert {"values", "mean", "low", "high", "interval", "higher_is_better", "unit"} <= set(cell["metrics"]["nll"])
    compared = {"baseline", "difference", "low", "high", "p", "p_holm", "family", "verdict", "needed", "reason"}
    assert compared <= set(cell["against"]["nll"])
    assert found["issues"] == ["the tuned lr is the largest that was tried (0.1) for hinge: widen the grid"]
    better = {"kind": "better", "row": LOSSES[2], "metric": "accuracy", "other": "cross_entropy"}
    assert {**better, "problem": {"dataset": "digits"}} in found["statements"]
    assert {each["kind"] for each in found["statements"]} == {"better", "worse", "equivalent", "undecided", "crashed"}


def test_what_is_called_best_is_a_statement() -> None:
    """Best alone on one of two problems: the answer names it there, and the statements have it."""
    alone = on_rows(result(), lambda each: replace(each, best=dict.fromkeys(each.best, Rank.BEATEN)), 0, 1, 3, 4)
    found = Result(alone)
    assert f"digits: {LOSSES[2]} best, " in found.answer and f"{PROBLEMS[1]}: {LOSSES[2]} best" not in found.answer
    best = [each for each in found.run.statements if each.kind == "best"]
    assert [(each.row, each.problem, each.metric) for each in best] == [(LOSSES[2], {"dataset": "digits"}, "accuracy")]


def test_parts() -> None:
    data = replace(result(), exit=3)
    found = Result(data)
    assert (found.rows, found.exit, found.answer) == (data.cells, 3, answer(data))
    assert found.answer.startswith(
        f"In accuracy, against cross_entropy, in both problems: better: {LOSSES[2]} (between +0.0411 "
    )
    assert repr(found) == f"Result(losses-on-digits: {found.answer})"
    assert (Result(NOTHING).rows, Result(NOTHING).exit, Result(NOTHING).answer) == ((), 0, "")


def test_a_comparison_knows_its_row_and_metric() -> None:
    found = Result(result()).comparisons
    assert len(found) == len(PROBLEMS) * (len(LOSSES) - 1) * len(METRICS)
    first = found[0]
    assert (first.row.vary["loss"], first.metric, first.verdict) == ("hinge", "accuracy", comparison(0, 1).verdict)
    assert (first.difference, first.p_holm) == (comparison(0, 1).difference, comparison(0, 1).p_holm)


def test_one_line_per_row_seed_and_metric() -> None:
    data = lost(result(), 1, Status.CRASHED, "signal 11")
    lines = list(Result(data).values())
    measured = len(PROBLEMS) * len(LOSSES) - 1
    assert len(lines) == measured * len(METRICS) * 2 + 1
    assert list(lines[0]) == ["dataset", "loss", "model", "status", "seed", "metric", "value"]
    [gone] = [line for line in lines if line["status"] == "crashed"]
    assert (gone["loss"], gone["seed"], gone["metric"], gone["value"]) == ("hinge", None, None, None)
    wanted = {"dataset": PROBLEMS[1], "loss": "focal", "metric": "nll"}
    pair = [line["value"] for line in lines if wanted.items() <= line.items()]
    assert sum(pair) / 2 == pytest.approx(mean_of(1, 4, 1))  # type: ignore[arg-type]


def test_values_must_match_seeds() -> None:
    data = on_rows(result(), lambda cell: replace(cell, seeds=(0, 1, 2)), 0)
    with pytest.raises(ValueError, match="zip"):
        list(Result(data).values())


def test_frame_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BenchError, match="needs pandas"):
        Result(result()).to_frame()


def test_frame_holds_the_values() -> None:
    pytest.importorskip("pandas")
    frame = Result(result()).to_frame()
    assert frame.to_dict("records") == list(Result(result()).values())
    assert list(Result(NOTHING).to_frame().columns) == ["status", "seed", "metric", "value"]


def test_formats_are_found_by_name() -> None:
    assert formats() == ("console", "json", "html", "csv", "parquet", "md", "latex", "methods", "pytest-benchmark")
    assert render(result(), "json") == Result(result()).to_json()
    assert "losses-on-digits" in render(result(), "console")
    with pytest.raises(BenchError, match="unknown format 'consol', did you mean console"):
        render(result(), "consol")


def test_json_loads_nothing_heavy() -> None:
    heavy = "{'rich', 'numpy', 'scipy', 'pandas', 'torch'}"
    run = "Run(suite='', question='', run='', protocol='')"
    imports = "import sys; from harness.report import render; from harness.results import Run"
    code = f"{imports}; render({run}, 'json'); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
