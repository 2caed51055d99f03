"""Results that went wrong, lack parts or are very long."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from harness.report import render
from harness.report.number_format import Estimate, told
from harness.results import Comparison, IntervalKind, MetricValue, Needed, Reason, ReasonKind, Row, Run, Status
from harness.results.codec import from_json

from .factory import LOSSES, lost, on_rows, result, row, without
from .reading import WIDTHS, Stream, printed, spaced

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


def odd_results() -> dict[str, Run]:
    """Runs that a reader hardly ever sees."""
    no_baseline = on_rows(replace(result(), baseline=None), lambda each: replace(each, against={}))
    signal = "signal 11\x1b[31m in red\x1b[0m\nand more"
    crashed = on_rows(result(), lambda each: without(each, Status.CRASHED, signal))
    late = Reason(ReasonKind.SAID, text="ran for 600 s")
    partial = on_rows(result(), lambda each: replace(each, status=Status.TIMEOUT, why=late), 1)
    bare = replace(
        result(), axes={}, contenders=(), group_by=None, metrics=(), baseline=None, environment={}, notices=()
    )
    mapped = replace(result(), baseline={"dataset": "digits"})
    empty = replace(result(), cells=(), axes={})
    labels = result(losses=("数据集的损失函数" * 4, "x" * 150, "ünïcödé · loss"))
    nothing = Run(suite="", question="", run="", protocol="")
    return {
        **{"no baseline": no_baseline, "nulls": on_rows(result(), nulls), "crashed": crashed, "partial": partial},
        **{"bare": bare, "mapped": mapped, "empty": empty, "labels": labels, "nothing": nothing},
        "one": replace(nothing, cells=(row(0, 0, ()),)),
    }


def nulls(each: Row) -> Row:
    """The row with no number at all."""
    whole: dict[str, Any] = {"low": None, "high": None, "interval": IntervalKind.BOTH}
    value = MetricValue(values=(), mean=None, **whole, higher_is_better=None, unit=None)
    none: dict[str, Any] = {"difference": None, "p": None, "p_holm": None, "verdict": None}
    found = Comparison(baseline="", **none, **whole, family=0, needed=Needed(None, None))
    metrics, against = dict.fromkeys(each.metrics, value), dict.fromkeys(each.against, found)
    return replace(each, metrics=metrics, against=against, tuned={}, seconds=None, peak_memory=None, best={})


@pytest.mark.parametrize("name", odd_results())
@pytest.mark.parametrize("width", WIDTHS)
def test_odd_results_are_rendered(name: str, width: int) -> None:
    data = odd_results()[name]
    report = render(data, "console", width)
    assert max(map(cell_len, report.splitlines()), default=0) <= width
    assert "\x1b" not in report and "None" not in report and "nan" not in report.lower().replace("nanos", "")
    for encoding in ("ascii", "latin-1"):
        printed(data, Stream(encoding=encoding)).encode(encoding)


def test_without_baseline_nothing_is_compared() -> None:
    report = render(odd_results()["no baseline"], "console", 120)
    assert "vs " not in report and "verdict" not in report and "★" in report


def test_a_cell_that_ended_early_keeps_its_numbers() -> None:
    report = spaced(render(odd_results()["partial"], "console", 120))
    assert re.search(r"hinge \(timeout\) .*0\.5013 ± 0\.0021", report)
    assert "hinge on digits: timeout: ran for 600 s" in report


def test_reasons_cannot_bring_escape_codes() -> None:
    assert "✗ crashed: signal 11 in red and more" in render(odd_results()["crashed"], "console", 200)


def test_an_unmeasured_cell_is_a_row_with_its_whole_reason() -> None:
    reason = "the loss became NaN at step 41 of 690, " + "and this is why, " * 9 + "in seed 7"
    data = lost(lost(result(), 3, Status.FAILED, reason), 4, Status.SKIPPED, None)
    for width in WIDTHS:
        report = render(data, "console", width)
        assert spaced(reason) in spaced(report)
        assert re.search(r"✗ failed: the.*…\n" if width < 60 else r"✗ failed: the loss became NaN.*…\n", report)
        assert "✗ skipped\n" in report and max(map(cell_len, report.splitlines())) <= width


def test_equal_reasons_are_told_once() -> None:
    data = on_rows(result(), lambda each: without(each, Status.SKIPPED, "artifact digits failed"))
    report = render(data, "console", 200)
    assert spaced(report).count("artifact digits failed") == len(data.cells) + 1
    assert "on every problem: skipped: artifact digits failed" in report


@pytest.mark.parametrize("width", WIDTHS)
def test_forty_rows_and_one_row(width: int) -> None:
    many = ("cross_entropy", *(f"method_{number}" for number in range(39)))
    report = render(result(losses=many), "console", width)
    assert all(name in report for name in many) and max(map(cell_len, report.splitlines())) <= width
    assert "1 problem × 1 contender ·" in spaced(render(result(losses=LOSSES[:1], count=1), "console", 200))


HOSTILE = "\x1b[31mred\x1b]8;;http://x\x07\u202e\x9b31m"


@pytest.mark.parametrize("form", ["console", "md", "latex", "csv", "methods", "json"])
def test_a_result_from_elsewhere_brings_no_control_characters(form: str) -> None:
    found = json.loads((REFERENCE / "quickstart.json").read_text())
    text = json.dumps(found).replace("hinge", json.dumps(HOSTILE)[1:-1]).replace("Which", json.dumps(HOSTILE)[1:-1])
    shown = render(from_json(json.loads(text)), form)
    assert not any(not c.isprintable() and c not in "\n" for c in shown)
    assert "red" in shown


def test_no_label_is_a_formula_in_a_spreadsheet() -> None:
    found = (REFERENCE / "quickstart.json").read_text().replace('"hinge"', json.dumps("=cmd|' /C calc'!A0"))
    lines = list(csv.DictReader(io.StringIO(render(from_json(json.loads(found)), "csv"))))
    assert {row["loss"] for row in lines if "cmd" in row["loss"]} == {"'=cmd|' /C calc'!A0"}
    assert all(float(row["difference"]) for row in lines if row["difference"].startswith("-"))


def test_an_interval_wider_than_any_number_is_told() -> None:
    assert told(Estimate(1.0, -1e308, 1e308))[0] == "1.00"
