"""The tables, judged by what a reader finds in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len

from harness.report import render
from harness.results import Bootstrap, Run

from .factory import (
    LOSSES,
    METRICS,
    PROBLEMS,
    VERDICTS,
    difference_of,
    half_of,
    mean_of,
    on_rows,
    result,
    with_comparison,
    with_info,
    with_metric,
)
from .reading import WIDTHS, first_column, signed, spaced

SIX = ("accuracy", "nll", "ece", "brier", "f1_macro", "a_metric_with_quite_a_long_name")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("metrics", [METRICS[:1], METRICS, SIX])
def test_every_number_is_whole_and_no_line_is_too_long(width: int, metrics: tuple[str, ...]) -> None:
    report = render(result(metrics), "console", width)
    assert max(map(cell_len, report.splitlines())) <= width
    for problem in range(len(PROBLEMS)):
        for loss in range(len(LOSSES)):
            for metric in range(len(metrics)):
                assert f"{mean_of(problem, loss, metric):.4f} ± {half_of(metric):.4f}" in report
            if loss:
                assert f"{signed(difference_of(problem, loss))} ± 0.0017" in report


@pytest.mark.parametrize("width", WIDTHS)
def test_every_label_is_whole(width: int) -> None:
    report = render(result(), "console", width)
    left = first_column(report)
    for loss in LOSSES:
        assert left.count(loss.replace(" ", "")) >= len(PROBLEMS)
    for problem in PROBLEMS:
        assert f"\n{problem}\n" in report
    for metric in METRICS:
        assert f"{metric} {'↑' if metric == 'accuracy' else '↓'}" in report


def test_one_table_a_problem_where_there_is_room() -> None:
    """And one before them of all problems."""
    lines = render(result(), "console", 200).splitlines()
    assert sum(line.startswith("─") for line in lines) == 1 + len(PROBLEMS)
    assert sum(line.startswith("─") for line in render(result(), "console", 80).splitlines()) == 1 + 2 * len(PROBLEMS)
    one = render(result(count=1), "console", 200).splitlines()
    assert sum(line.startswith("─") for line in one) == 1


def test_decimal_points_stand_under_each_other() -> None:
    lines = render(result(), "console", 200).splitlines()
    rows = [line for line in lines if " ± " in line]
    assert len(rows) == len(PROBLEMS) * len(LOSSES)
    assert len({line.index(".", line.index("0.5")) for line in rows}) == 1
    assert len({line.index("±") for line in rows}) == 1


def test_verdicts_read_without_colour() -> None:
    report = render(result(), "console", 120)
    for verdict, mark in zip(VERDICTS, "▼▲=·", strict=True):
        rows = [line for line in report.splitlines() if f"{mark} {verdict} " in line and "±" in line]
        assert len(rows) == len(PROBLEMS)
    narrow = render(result(), "console", 60)
    for loss in range(1, len(LOSSES)):
        assert f"{signed(difference_of(0, loss))} ± 0.0017 {'▼▲=·'[loss - 1]}" in narrow


def test_baseline_comes_first_and_says_so() -> None:
    data = replace(result(), cells=result().cells[::-1])
    report = render(data, "console", 200)
    for part in report.split("vs cross_entropy")[1:]:
        assert re.match(r"cross_entropy .* baseline ", part.splitlines()[2])


def test_stars_stand_before_the_best() -> None:
    report = spaced(render(result(), "console", 200))
    assert f"★ {mean_of(0, 2, 0):.4f}" in report
    assert f"☆ {mean_of(0, 4, 1):.4f}" in report
    assert f"★ {mean_of(0, 1, 0):.4f}" not in report


def test_lopsided_intervals_show_both_ends() -> None:
    lopsided = {"mean": 0.5, "low": 0.498, "high": 0.5061}
    data = on_rows(result(METRICS[:1]), lambda each: with_metric(each, "accuracy", **lopsided), 0)
    report = render(data, "console", 80)
    assert "0.5000 [0.4980, 0.5061]" in report
    assert f"{mean_of(0, 1, 0):.4f} [{mean_of(0, 1, 0) - 0.0021:.4f}, {mean_of(0, 1, 0) + 0.0021:.4f}]" in report


def test_times_and_bytes_take_a_unit_that_fits() -> None:
    data = result(("seconds", "peak_memory"), LOSSES[:2], 1)
    data = with_info(with_info(data, 0, higher_is_better=False, unit="s"), 1, unit="bytes")
    for number in (1, 2):
        ends = {"mean": 2.5e-4 * number, "low": 2.47e-4 * number, "high": 2.53e-4 * number}
        size = {"mean": 3 * 2**20 * number, "low": None, "high": None}
        data = on_rows(data, lambda each, ends=ends: with_metric(each, "seconds", **ends), number - 1)  # type: ignore[misc]
        data = on_rows(data, lambda each, size=size: with_metric(each, "peak_memory", **size), number - 1)  # type: ignore[misc]
    apart = {"difference": 2.5e-4, "low": 2.4e-4, "high": 2.6e-4}
    data = on_rows(data, lambda each: with_comparison(each, "seconds", **apart), 1)
    report = spaced(render(data, "console", 120))
    for part in ("seconds [µs] ↓", "250.0 ± 3.0", "500.0 ± 6.0", "+250 ± 10", "peak_memory [MiB] ↓", "3.000", "6.000"):
        assert part in report


def means(numbers: Sequence[float], low: float, high: float) -> Run:
    """A run of one problem and one metric with these means; the ends of intervals are shares of them."""
    found = result(METRICS[:1], LOSSES[: len(numbers)], 1)
    for place, mean in enumerate(numbers):
        ends = {"mean": mean, "low": mean * low, "high": mean * high}
        found = on_rows(found, lambda each, ends=ends: with_metric(each, "accuracy", **ends), place)  # type: ignore[misc]
    return found


def test_tiny_numbers_are_not_shown_as_zero() -> None:
    data = means((0.5, 0.5, 0.5e-9), 0.98, 1.02)
    assert "5.0e-10 ± 1.0e-11" in spaced(render(data, "console", 120))


def test_rounding_errors_beside_ones_do_not_ask_for_their_own_digits() -> None:
    data = means((2.3e-33, 6e-12, 0.58, 1.0), 0.5, 1.5)
    report = spaced(render(data, "console", 120))
    assert "0.58 ± 0.29" in report and "1.00 ± 0.50" in report and "[1e" not in report


def test_several_baselines_are_named_on_their_rows() -> None:
    data = on_rows(result(METRICS[:1]), lambda each: with_comparison(each, "accuracy", baseline="hinge"), 2)
    report = render(data, "console", 120)
    assert "vs baseline" in report
    assert re.search(r"\d  hinge +▲ better", report)


def test_an_interval_within_a_seed_has_a_column_of_its_own() -> None:
    within = Bootstrap((0.40, 0.44, None), (0.60, 0.70, None))
    data = on_rows(result(), lambda cell: with_metric(cell, "nll", bootstrap=within))
    data = on_rows(data, lambda cell: with_metric(cell, "nll", bootstrap=Bootstrap((None,), (None,))), 0)
    lines = render(data, "console", 200).splitlines()
    (head, *_) = [line for line in lines if "within a seed:" in line]
    assert "accuracy" not in head.split("within a seed:")[0] or head.index("within a seed:") > head.index("nll ↓")
    rows = [line for line in lines if " ± " in line]
    assert sum("0.42 to 0.65" in row for row in rows) == len(rows) - 1
    assert "within a seed: 95 % by the bootstrap" in render(data, "console", 200)
    assert "bootstrap" not in render(result(), "console", 200)


def test_what_to_keep_in_mind_of_a_metric_is_a_note() -> None:
    data = with_info(result(), 1, caveat="is heavy-tailed")
    assert "\n  nll is heavy-tailed\n" in render(data, "console", 120)
