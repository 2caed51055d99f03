"""Rows that are equal: one verdict in every format, no race for a star, gates kept, and one row in the corrections."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

import harness.analysis
from harness.analysis.exit_status import exit_code
from harness.report import render
from harness.report.answer import answer, statements
from harness.results import (
    ClaimForm,
    ClaimKind,
    ClaimRule,
    GateRule,
    MetricInfo,
    Outcome,
    Rank,
    Run,
    StatementKind,
    Verdict,
)
from tests.helpers.analysis import analyse
from tests.helpers.runs import row, run

RNG = np.random.default_rng(0)
OLD = RNG.uniform(0.4, 0.6, 6)
NOISY = OLD + 0.05 + RNG.normal(0, 0.001, 6)


def analysed(rows: dict[str, Any], **more: Any) -> Run:
    return harness.analysis.analyse(run([row(name, values) for name, values in rows.items()], **more))


@pytest.mark.parametrize("shift", [0.0, 1.242e-9])
@pytest.mark.parametrize("format", ["console", "md", "latex", "csv"])
def test_every_format_says_identical_without_a_p_or_a_tiny_difference(shift: float, format: str) -> None:
    found = analysed({"old": OLD, "copy": OLD - shift})
    text = render(found, format)
    assert "identical" in text and "undecided" not in text and "tied" not in text
    assert not any(part in text for part in ("1.000", "0.0000000", "e-09", "★", "☆", "bigstar"))
    if format == "csv":
        entry = list(csv.DictReader(io.StringIO(text)))[1]
        assert (float(entry["difference"]), entry["p"], entry["p_holm"], entry["verdict"]) == (0, "", "", "identical")


def test_the_json_the_answer_and_the_statements_say_so_too() -> None:
    found = analysed({"old": OLD, "copy": OLD})
    entry = found.cells[1].against["m"]
    assert (entry.verdict, entry.p, entry.p_holm, entry.difference) == (Verdict.IDENTICAL, None, None, 0)
    assert entry.needed.seeds == 0 and found.cells[0].best == found.cells[1].best == {"m": Rank.BEST}
    assert answer(found) == "In m, against old: identical: copy."
    assert [each.kind for each in statements(found)] == [StatementKind.IDENTICAL]


def test_without_a_baseline_equal_rows_are_equal_and_not_best_and_tied() -> None:
    found = analysed({"a": OLD, "b": OLD}, baseline=None)
    assert "a and b are equal in m" in answer(found) and "★" not in render(found, "console")
    third = analysed({"a": OLD, "b": OLD + 1e-9, "c": OLD - 0.3 + RNG.normal(0, 0.01, 6)}, baseline=None)
    assert [cell.best["m"] for cell in third.cells] == [Rank.BEST, Rank.BEST, Rank.BEATEN]
    assert "a and b are best in m" in answer(third) and render(third, "console").count("★ 0.") == 2


def test_identical_rows_keep_comparing_gates_and_fail_no_condition() -> None:
    gates = [GateRule(metric="m", rule=rule, bound=0.001) for rule in ("max_regression", "non_inferior_by")]
    found = analysed({"old": OLD, "copy": OLD}, gates=gates)
    assert [(gate.passed, gate.value) for gate in found.gates] == [(True, 0), (True, 0)]
    assert exit_code(found, ["regression", "undecided", "error"]) == 0


def test_a_claimed_order_of_identical_rows_is_neither_open_nor_broken() -> None:
    claim = ClaimRule(kind=ClaimKind.THEOREM, source="x", form=ClaimForm.ORDER, metric="m",
                      points=({"loss": "old"}, {"loss": "copy"}))  # fmt: skip
    found = analysed({"old": OLD, "copy": OLD}, claims=(claim,))
    assert [test.outcome for test in found.claims[0].tests] == [Outcome.SAME]
    assert found.claims[0].outcome is Outcome.HOLDS, "a theorem allows equality"
    assert "old at least as good as copy in m: identical (lead 0, 0 to 0)" in answer(found)


def test_rows_that_repeat_others_count_once_and_p_is_that_of_scipy() -> None:
    """Five names of one row against the baseline, and another contender: a family of two, not of six."""
    names = {f"same{k}": NOISY for k in range(5)}
    other = OLD + RNG.normal(0, 0.05, 6)
    found = analysed({"old": OLD, **names, "other": other})
    entries = [cell.against["m"] for cell in found.cells[1:]]
    assert {entry.family for entry in entries} == {2}
    least, most = sorted(stats.ttest_rel(values, OLD).pvalue for values in (NOISY, other))
    assert [entry.p_holm for entry in entries] == pytest.approx([2 * least] * 5 + [max(most, 2 * least)])
    (issue,) = (line for line in analyse(run([row(k, v) for k, v in {"old": OLD, **names}.items()]))["issues"])
    assert issue.startswith("identical to same0 in every metric") and issue.endswith("same1, same2, same3, same4")


def test_a_row_that_differs_in_any_other_metric_is_a_row_of_its_own() -> None:
    metrics = (MetricInfo(label="m", higher_is_better=True), MetricInfo(label="n", higher_is_better=None))
    rows = [
        row(name, OLD, metrics={"m": m, "n": n})
        for name, m, n in (("old", OLD, OLD), ("a", NOISY, OLD), ("b", NOISY, OLD + 1))
    ]
    found = harness.analysis.analyse(run(rows, metrics=metrics))
    assert [cell.against["m"].family for cell in found.cells[1:]] == [2, 2]


def test_a_row_that_equals_its_baseline_in_one_metric_alone_stays_in_the_family_of_that() -> None:
    """Equal counts by chance are no reason to test the others at a higher level."""
    metrics = (MetricInfo(label="m", higher_is_better=True), MetricInfo(label="n", higher_is_better=True))
    rows = [row("old", OLD, metrics={"m": OLD, "n": OLD}), row("a", OLD, metrics={"m": OLD, "n": NOISY})]
    rows += [row("b", OLD, metrics={"m": NOISY, "n": NOISY})]
    found = harness.analysis.analyse(run(rows, metrics=metrics))
    assert [found.cells[k].against["m"].family for k in (1, 2)] == [2, 2]
    assert found.cells[1].against["m"].verdict is Verdict.IDENTICAL


def test_one_seed_repeats_nothing() -> None:
    found = analysed({"old": OLD[:1], "copy": OLD[:1]})
    assert found.cells[1].against["m"].verdict is None
    assert not [each for each in found.notices if each.kind == "same_rows"]


def test_a_stored_resolution_is_used_and_kept() -> None:
    tiny = [row("old", OLD * 1e-14), row("new", OLD[::-1] * 1e-14)]
    plain, rounded = (
        harness.analysis.analyse(run([replace(each, resolution=size) for each in tiny])) for size in ({}, {"m": 1e-13})
    )
    assert plain.cells[1].against["m"].verdict is not Verdict.IDENTICAL
    assert rounded.cells[1].against["m"].verdict is Verdict.IDENTICAL
    assert rounded.cells[1].metrics["m"].resolution == 1e-13 and plain.cells[1].metrics["m"].resolution is None
