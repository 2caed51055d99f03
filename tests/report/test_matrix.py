"""The means of a whole run in one table: every contender on every problem, best and ties marked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from harness.report import render
from harness.results import Asked, Leaders, Rank, Status

from .factory import LOSSES, METRICS, PROBLEMS, VERDICTS, lost, mean_of, on_rows, result, with_metric
from .reading import WIDTHS, Stream, printed

SIGNS = dict(zip(VERDICTS, "▼▲=·", strict=True))


def matrices(report: str) -> list[list[str]]:
    """The lines of every table of all problems, heading first."""
    parts = report.split("\n\n")
    starts = [place for place, part in enumerate(parts) if "on every problem" in part.splitlines()[0]]
    return [parts[place].splitlines() for place in starts]


@pytest.mark.parametrize("width", [80, 100, 200])
def test_every_mean_is_there_with_its_rank_and_verdict(width: int) -> None:
    whole = result(METRICS, ("cross_entropy", "hinge", "best", "focal", "tied"))
    (table,) = matrices(render(whole, "console", width))
    assert table[0] == "accuracy ↑ on every problem, against cross_entropy"
    head = next(line for line in table if line.startswith("loss"))
    assert all(problem in head for problem in PROBLEMS)
    for row in whole.cells:
        line = next(line for line in table if line.startswith(f"{row.vary['loss']} "))
        problem = [*PROBLEMS].index(str(row.vary["dataset"]))
        star = {Rank.BEST: "★ ", Rank.TIED: "☆ "}.get(row.best["accuracy"], "  ")
        sign = f" {SIGNS[row.against['accuracy'].verdict]}" if row.against else ""  # type: ignore[index]
        assert f"{star}{mean_of(problem, [*whole.axes['loss']].index(row.vary['loss']), 0):.4f}{sign}" in line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("problems", [2, 30])
def test_it_fits_and_turns_where_that_needs_fewer_tables(width: int, problems: int) -> None:
    names = [f"data set {k}" for k in range(problems)]
    cells = [
        replace(row, vary={**row.vary, "dataset": name}, id=f"{name} {row.id}")
        for name in names
        for row in result(losses=LOSSES[:2], count=1).cells
    ]
    whole = replace(result(losses=LOSSES[:2]), cells=tuple(cells), axes={**result().axes, "dataset": [*names]})
    report = render(whole, "console", width)
    assert max(map(cell_len, report.splitlines())) <= width
    (table,) = matrices(report)
    turned = any(line.startswith("problem ") for line in table)
    assert turned == (problems == 30) or width == 40
    assert all(any(line.startswith(f"{name} ") for line in table) for name in names) or not turned


def test_there_is_one_for_every_metric_that_is_asked_for() -> None:
    leaders = (Leaders(problem={"dataset": "digits"}, best=("hinge",), tied=(), beaten=4),)
    asks = tuple(Asked(ask=f"Which has the best {name}?", metric=name, problems=leaders) for name in ("nll", "ece"))
    found = matrices(render(replace(result(), answers=asks), "console", 100))
    assert [re.split(r" [↑↓]", table[0])[0] for table in found] == ["nll", "ece"]


def test_a_lost_row_has_its_status_and_one_problem_needs_no_matrix() -> None:
    (table,) = matrices(render(lost(result(), 1, Status.CRASHED, "no luck"), "console", 100))
    assert re.search(r"^hinge +✗ crashed +0\.5113 ▼$", "\n".join(table), re.MULTILINE)
    assert not matrices(render(result(count=1), "console", 100))


def test_it_is_legible_in_ascii_and_keeps_the_digits_of_each_problem() -> None:
    whole = on_rows(result(), lambda each: with_metric(each, "accuracy", low=0.3, high=0.7), *range(5))
    report = printed(whole, Stream(encoding="ascii"))
    (table,) = matrices(report)
    assert re.search(r"^cross_entropy +o 0\.50 +o 0\.5100$", "\n".join(table), re.MULTILINE)
    assert "B" in "".join(table) and report.isascii()
