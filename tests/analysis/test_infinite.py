"""Infinite values make a mean infinite; a mean over fewer seeds than asked for is marked wherever it appears."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from harness.analysis import analyse
from harness.errors import BenchError
from harness.report import render
from harness.report.result import Result
from harness.results import Run
from harness.results.codec import from_json, restored, stored
from tests.helpers.analysis import measured

SEEDS = 32
Values = Sequence[float | str | None]


def run(values: Values, baseline: Values | None = None, **more: Any) -> Run:
    draw = np.random.default_rng(0)
    others: Values = baseline or draw.normal(0.14, 0.01, SEEDS).tolist()
    about = {"parameters": {}, "tuned": {}, "status": "ok", "seconds": 1.0, "peak_memory": 1, "units": [], "notes": []}
    cells = [
        {"id": name, "vary": {"loss": name}, "seeds": list(range(SEEDS)), "metrics": {"nll": list(numbers)}, **about}
        for name, numbers in (("softmax", others), ("sparsemax_loss", values))
    ]
    metrics = [{"label": "nll", "higher_is_better": False, "unit": "nats"}]
    plan = {"metrics": metrics, "axes": {"loss": ["softmax", "sparsemax_loss"]}, "contenders": ["loss"]}
    return analyse(measured({**plan, "cells": cells, "baseline": "softmax", **more}))


def of_json(found: Run) -> Any:
    return json.loads(Result(found).to_json())


INFINITE: list[Values] = [
    ["inf"] * 31 + [0.101],
    [0.101] + ["inf"] * 31,
    ["inf"] + [0.1 + k / 1000 for k in range(31)],
    ["inf"] * 32,
    ["inf", None] + [0.1 + k / 1000 for k in range(30)],
]


@pytest.mark.parametrize("values", INFINITE)
def test_a_mean_over_infinite_values_is_infinite(values: Values) -> None:
    found = run(values)
    row = found.cells[1]
    count = values.count("inf")
    metric = row.metrics["nll"]
    assert metric.average == math.inf and (metric.mean, metric.low, metric.high) == (None, None, None)
    assert [number == math.inf for number in metric.numbers] == [value == "inf" for value in values]
    assert row.best == {} and found.cells[0].best == {"nll": "best"}
    assert row.against["nll"].verdict is None and row.against["nll"].difference is None
    entry = of_json(found)["cells"][1]
    assert entry["metrics"]["nll"]["mean"] is None
    assert entry["metrics"]["nll"]["values"] == [None if isinstance(value, str) else value for value in values]
    lost = count + values.count(None)
    assert entry["metrics"]["nll"]["reason"] == f"{lost} of 32 seeds have no finite value, and the mean is infinite"
    assert "infinite" in entry["against"]["nll"]["reason"]
    assert any(line == f"sparsemax_loss: {count} of 32 seeds have an infinite nll, so it is not compared"
               for line in of_json(found)["issues"])  # fmt: skip


@pytest.mark.parametrize("values", INFINITE)
def test_every_report_shows_infinity(values: Values) -> None:
    found = from_json(of_json(run(values)))  # as it is read again
    for name in ("console", "md", "latex"):
        line = next(line for line in render(found, name).splitlines() if "sparsemax" in line)
        assert "inf" in line and "0.1" not in line.replace("0.14", "")
    rows = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    assert rows[1]["mean"] == "inf" and "infinite" in rows[1]["reason"]
    assert "better: sparsemax_loss" not in of_json(found)["answer"]
    assert [each["value"] for each in Result(found).values()][32:] == list(found.cells[1].metrics["nll"].numbers)


def test_both_signs_have_no_mean() -> None:
    found = run(["inf", "-inf"] + [0.1] * 30)
    assert found.cells[1].metrics["nll"].average is None
    assert found.cells[1].metrics["nll"].infinite == (1, -1, *[0] * 30)
    entry = of_json(found)["cells"][1]["metrics"]["nll"]
    assert entry["mean"] is entry["low"] is entry["high"] is None
    said = "2 of 32 seeds have no finite value, with infinities of both signs: the mean is undefined"
    assert entry["reason"] == said
    issue = "sparsemax_loss: 2 of 32 seeds have an infinite nll, of both signs, so its mean is undefined and it is not compared"
    assert issue in of_json(found)["issues"]
    assert found.cells[1].against["nll"].verdict is None and found.cells[1].best == {}
    again = from_json(of_json(found))
    for name in ("console", "md", "latex"):
        line = next(line for line in render(again, name).splitlines() if line.lstrip("| ").startswith("sparsemax"))
        assert "inf" not in line and "0.1" not in line, line
    rows = list(csv.DictReader(io.StringIO(render(again, "csv"))))
    assert rows[1]["mean"] == "" and "both signs" in rows[1]["reason"]
    one_sign = of_json(run(["-inf"] + [0.1] * 31))["cells"][1]["metrics"]["nll"]["reason"]
    assert one_sign == "1 of 32 seeds have no finite value, and the mean is infinite"
    assert run(["-inf"] + [0.1] * 31).cells[1].metrics["nll"].average == -math.inf


def test_a_metric_compared_by_ratio_may_be_infinite() -> None:
    metrics = [{"label": "nll", "higher_is_better": False, "unit": "s", "relative_margin": 0.03}]
    found = run(INFINITE[2], metrics=metrics)
    assert found.cells[1].metrics["nll"].average == math.inf
    assert found.cells[1].against["nll"].verdict is None and found.cells[1].best == {}
    assert "inf" in render(found, "console")


def test_a_row_is_not_compared_with_an_infinite_baseline() -> None:
    found = run([0.1 + k / 1000 for k in range(SEEDS)], ["inf"] * SEEDS)
    assert found.cells[1].against["nll"].verdict is None
    assert "32 of 32" in of_json(found)["cells"][1]["against"]["nll"]["reason"]


def test_a_gate_on_an_infinite_value_is_broken() -> None:
    found = run(INFINITE[0], gates=[{"metric": "nll", "rule": "max", "bound": 0.2}])
    assert [gate.passed for gate in found.gates] == [True, False]


def test_a_mean_over_fewer_seeds_is_marked_everywhere() -> None:
    values = [None, None, *(0.1 + k / 1000 for k in range(30))]
    found = from_json(of_json(run(values)))
    metric = found.cells[1].metrics["nll"]
    assert metric.partial and metric.mean == pytest.approx(np.mean(values[2:]))
    assert found.cells[1].best == {}
    for name, mark in (("console", "†"), ("md", "†"), ("latex", r"$\dagger$")):
        text = render(found, name)
        line = next(line for line in text.splitlines() if "sparsemax" in line and mark in line)
        assert line.count(mark) == 2, text  # the mean and the difference
        assert "over fewer seeds than asked for" in " ".join(text.split())
        assert mark not in next(line for line in text.splitlines() if "baseline" in line and "softmax" in line)
    rows = list(csv.DictReader(io.StringIO(render(found, "csv"))))
    assert (rows[0]["seeds"], rows[1]["seeds"]) == ("32", "30") and "2 of 32" in rows[1]["reason"]
    result = of_json(found)
    assert "2 of 32 seeds" in result["cells"][1]["metrics"]["nll"]["reason"]
    assert "over 30 of 32 seeds" in result["answer"]


def test_whole_means_have_no_mark() -> None:
    found = run([0.1 + k / 1000 for k in range(SEEDS)])
    assert "†" not in render(found, "console") and "over 3" not in of_json(found)["answer"]
    assert "infinite" not in of_json(found)["cells"][1]["metrics"]["nll"]


@pytest.mark.parametrize("value", [0.0, -1.5, 1e308, math.inf, -math.inf])
def test_numbers_of_records_round_trip(value: float) -> None:
    assert restored(json.loads(json.dumps(stored(value), allow_nan=False))) == value
    assert stored(math.nan) is None and math.isnan(restored(None))


@pytest.mark.parametrize("text", ["nan", "Infinity", "1.0", "x"])
def test_no_other_text_is_a_number(text: str) -> None:
    with pytest.raises(BenchError):
        run([text] + [0.1] * 31)
