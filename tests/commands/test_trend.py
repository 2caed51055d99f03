"""`bench trend`: rows are followed over runs by their labels; the line and the figure show what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis import analyse
from harness.commands.trend import lines, sparkline, trend
from harness.errors import BenchError
from harness.report.glyphs import Glyphs
from harness.results import IntervalKind, MetricValue, Run
from tests.helpers.runs import row, run

INK = Glyphs()


def made(day: int, values: Mapping[str, Sequence[float]], **more: Any) -> Run:
    """A run of a day, with a row for each name."""
    rows = [row(*name.split("@"), values=numbers) if "@" not in name else row(name.split("@")[0], numbers, name.split("@")[1])
            for name, numbers in values.items()]  # fmt: skip
    return analyse(run(rows, run=f"202601{day:02}-120000-s", **more))


FIRST = made(
    1,
    {"old": [1.0, 2.0, 3.0], "new": [2.0, 3.0, 4.0]},
    environment={"commit": "a" * 40, "dirty": False, "torch": "2.6"},
)
SECOND = made(
    2, {"old": [1.0, 2.0, 3.0], "new": [4.0, 5.0, 6.0]}, environment={"commit": "b" * 40, "dirty": True, "torch": "2.7"}
)


def means(found: Any) -> dict[str, list[float | None]]:
    return {each.name: [value and value.mean for value in each.values] for each in found.rows}


def test_runs_are_in_the_order_of_time_whatever_the_order_given() -> None:
    found = trend([SECOND, FIRST, SECOND])
    assert [each.run for each in found.runs] == [FIRST.run, SECOND.run]
    assert means(found) == {"old": [2.0, 2.0], "new": [3.0, 5.0]}


def test_rows_of_some_runs_alone_have_gaps() -> None:
    third = made(3, {"old": [1.0, 2.0, 3.0], "newest": [7.0, 8.0, 9.0]})
    found = trend([FIRST, SECOND, third])
    assert means(found) == {"old": [2.0, 2.0, 2.0], "newest": [None, None, 8.0], "new": [3.0, 5.0, None]}
    (line,) = [line for line in lines(found, 100, INK) if line.startswith("newest")]
    assert line.split()[1:] == ["▅", "–", "–", "8.0", "±", "2.5"]


def test_the_table_names_runs_by_commit_and_says_what_else_changed() -> None:
    said = list(lines(trend([FIRST, SECOND]), 80, INK))
    assert said[:4] == ["s: m, ↑ higher is better", "", f"  1  aaaaaaa   {FIRST.run}", f"  2  bbbbbbb*  {SECOND.run}"]
    assert "1: aaaaaaa" in said[5] and "2: bbbbbbb*" in said[5]
    assert said[-1] == f"changed before {SECOND.run}: torch: 2.6 before, 2.7 after"
    assert max(map(len, said)) <= 80
    assert all(line.isascii() for line in lines(trend([FIRST, SECOND]), 80, Glyphs("ascii")))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_many_runs_fit_the_screen(width: int) -> None:
    found = trend([made(day, {"old": [1.0, 2.0, float(day)], "new": [2.0, 3.0, 4.0]}) for day in range(1, 29)])
    said = list(lines(found, width, INK))
    assert max(map(len, said)) <= width
    assert sum("28: 01-28 12:00" in line for line in said) == 1 and not any("20: 01-20" in line for line in said)


def test_rows_of_another_revision_are_no_part_of_the_trend() -> None:
    rows = [row(loss, [1.0, 2.0, 3.0]) for loss in ("old", "new")]
    both = [replace(each, vary={**each.vary, "revision": name}) for each in rows for name in ("HEAD~1", "here")]
    made_beside = replace(
        analyse(run(both, run="20260105-120000-s", baseline=None)),
        axes={"loss": ["old", "new"], "revision": ["HEAD~1", "here"]},
    )
    assert means(trend([FIRST, made_beside])) == {"old": [2.0, 2.0], "new": [3.0, 2.0]}


def value(mean: float | None, half: float = 0.0) -> MetricValue:
    ends = (None, None) if mean is None else (mean - half, mean + half)
    return MetricValue(
        values=(mean,),
        mean=mean,
        low=ends[0],
        high=ends[1],
        interval=IntervalKind.SEEDS,
        higher_is_better=True,
        unit=None,
    )


def test_a_bar_is_a_place_between_the_ends_of_all_intervals() -> None:
    assert sparkline([value(float(number)) for number in range(8)], INK) == "▁▂▃▄▅▆▇█"
    assert sparkline([value(0.0), None, value(None), value(7.0)], INK) == "▁  █"
    assert sparkline([value(1.0), value(1.0)], INK) == "▅▅", "what does not change is a flat line"
    assert set(sparkline([value(0.0, 100.0), value(1.0, 100.0)], INK)) <= set("▄▅"), "noise is no mountain"
    assert sparkline([value(0.0), value(7.0)], Glyphs("ascii")) == "18"
    assert sparkline([], INK) == ""


def test_runs_of_several_suites_are_refused() -> None:
    other = replace(SECOND, suite="t")
    with pytest.raises(BenchError) as error:
        trend([FIRST, other])
    assert str(error.value) == f"a trend is of one suite: s (accuracy) in {FIRST.run}, t (accuracy) in {SECOND.run}"
    with pytest.raises(BenchError, match=r"no metric 'n' in these runs \(choose from m\)"):
        trend([FIRST], "n")


def test_the_figure_has_a_panel_for_every_problem_and_a_line_for_every_contender(tmp_path: Path) -> None:
    from harness.figures.style import styled
    from harness.figures.trend import drawn, write

    days = [made(day, {f"{loss}@{data}": [day + 1.0, 2.0, 3.0] for loss in ("old", "new") for data in ("digits", "iris")})
            for day in (1, 2, 3)]  # fmt: skip
    found = trend(days)
    with styled():
        figure = drawn(found)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["digits", "iris"]
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["old", "new"]
        assert [list(line.get_ydata()) for line in axes.lines] == [[each.metrics["m"].mean for run in days for each in run.cells if each.vary["dataset"] == axes.get_title(loc="left") and each.vary["loss"] == loss] for loss in ("old", "new")]  # fmt: skip
    assert list(write(found, tmp_path)) == [f"figure {tmp_path / 'trend-m.png'}, .svg, .pdf"]
    assert (tmp_path / "trend-m.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_metric_has_no_trend() -> None:
    with pytest.raises(BenchError, match="r has no metric"):
        trend([analyse(run([], metrics=()))])
