"""Published numbers beside what was measured: where they stand, how they read, and that nothing else heeds them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import Any

import pytest
from rich.cells import cell_len

from harness.report import render
from harness.results import Label, Published, Run, Status
from tests.conftest import Bench

from .factory import LOSSES, PROBLEMS, lost, on_rows, result, with_info, with_metric
from .reading import WIDTHS, Stream, printed

FIRST, SECOND = "First & Other 2020, table 3", "Second 2021"
TITLE = "Published, not measured here"


def entry(loss: str, value: float, problem: int = 0, metric: str = "accuracy", **about: Any) -> Published:
    """One published number."""
    vary: dict[str, Label] = {"dataset": PROBLEMS[problem], "loss": loss, "model": "mlp"}
    return Published(**{"source": FIRST, "note": "5 seeds", "metric": metric, "vary": vary, "value": value, **about})


def data(*entries: Published, **more: Any) -> Run:
    """A run with published numbers."""
    return replace(result(**more), published=entries)


def table(report: str, problem: str) -> list[str]:
    """The lines of the first table of a problem, from its heading to the next blank line."""
    return report.split(f"\n{problem}\n")[1].split("\n\n")[0].splitlines()


def below(lines: list[str], label: str) -> str:
    """The line after the row of a label."""
    (place,) = (k for k, line in enumerate(lines) if line.startswith(f"{label} "))
    return lines[place + 1]


def test_without_the_key_nothing_changes() -> None:
    for width in WIDTHS:
        assert render(data(), "console", width) == render(result(), "console", width)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_number_stands_below_its_row_in_the_column_of_its_metric(width: int) -> None:
    report = render(data(entry("hinge", 0.4321), entry("focal", 0.5678)), "console", width)
    assert max(map(cell_len, report.splitlines())) <= width
    lines = table(report, PROBLEMS[0])
    measured = next(line for line in lines if line.startswith("hinge "))
    assert re.fullmatch(r"  published \[1\] +0\.4321", below(lines, "hinge"))
    assert below(lines, "hinge").index("0.4321") == measured.index("0.5013")
    assert below(lines, "focal").split() == ["published", "[1]", "0.5678"]
    assert report.count("  published [1] ") == 2
    assert "published [1]" not in "\n".join(table(report, PROBLEMS[1]))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_contender_of_the_paper_alone_has_a_row_at_the_end(width: int) -> None:
    report = render(data(entry("sklearn", 0.4321, problem=1)), "console", width)
    assert re.fullmatch(r"sklearn \[1\] +0\.4321", table(report, PROBLEMS[1])[-1])
    assert report.count("sklearn") == 1


def test_every_paper_is_named_once_and_its_rows_bear_its_number() -> None:
    other = entry("hinge", 0.25, source=SECOND, note=None)
    report = render(data(entry("hinge", 0.4321), other, entry("focal", 0.5678)), "console", 120)
    after = report.split(TITLE)[1].splitlines()
    assert after[1:3] == [f"  [1] {FIRST} (5 seeds)", f"  [2] {SECOND}"]
    lines = table(report, PROBLEMS[0])
    assert below(lines, "hinge").split() == ["published", "[1]", "0.4321"]
    assert re.search(r"published \[1\] +0\.4321\n  published \[2\] +0\.2500\n", report)
    assert re.search(r"published \[1\] +0\.5678\n", report)


def test_several_metrics_of_one_paper_share_a_row() -> None:
    both = data(entry("hinge", 0.4321), entry("hinge", 0.625, metric="nll"))
    wide = render(both, "console", 200)
    assert re.search(r"  published \[1\] +0\.4321 +0\.6250\n", wide)
    narrow = render(both, "console", 60)
    assert re.search(r"  published \[1\] +0\.4321\n", narrow) and re.search(r"  published \[1\] +0\.6250\n", narrow)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.43217, "0.43217"), (1.0, "1.0000"), (0.5, "0.5000"), (2.0, "2.0000"), (0.99996, "0.99996")]
)
def test_no_digit_is_lost_and_the_point_stands_below_the_others(value: float, shown: str) -> None:
    lines = table(render(data(entry("hinge", value)), "console", 100), PROBLEMS[0])
    line = below(lines, "hinge")
    assert line.split()[-1] == shown
    assert line.index(".") == lines[lines.index(line) - 1].index(".")


def test_the_unit_is_the_columns() -> None:
    times = data(entry("hinge", 3.25e-4, metric="seconds"), metrics=("seconds",), losses=LOSSES[:2], count=1)
    times = with_info(times, 0, higher_is_better=False, unit="s")
    times = on_rows(times, lambda each: with_metric(each, "seconds", mean=2.5e-4, low=2.47e-4, high=2.53e-4))
    report = render(times, "console", 100)
    assert "seconds [µs]" in report and re.search(r"  published \[1\] +325\.0\n", report)


def test_rows_are_italic_and_pipes_get_no_escape_codes() -> None:
    shown = data(entry("hinge", 0.4321), entry("sklearn", 0.25))
    colored = printed(shown, Stream(terminal=True))
    for text in ("  published [1]", "0.4321", "sklearn [1]", "0.2500"):
        assert re.search(rf"\x1b\[3m[^\x1b]*{re.escape(text)}", colored), text
    assert colored.count("\x1b[3m") == 4
    for stream in (Stream(), Stream(encoding="ascii")):
        plain = printed(shown, stream)
        assert "\x1b" not in plain and "\n  published [1]" in plain and "\nsklearn [1]" in plain and TITLE in plain
    assert printed(shown, Stream(encoding="ascii")).isascii()


def test_a_published_number_is_not_measured() -> None:
    """Counts, marks, verdicts, notes and the answer are those of the cells, even beside a much better number."""
    before = render(result(), "console", 200).splitlines()
    after = render(data(entry("hinge", 0.9999), entry("sklearn", 0.9998)), "console", 200).splitlines()
    rest = [line for line in after if "[1]" not in line and line != TITLE]
    assert [line for line in rest if line] == [line for line in before if line]


def test_a_row_that_failed_keeps_its_published_number() -> None:
    failed = lost(data(entry("hinge", 0.4321)), 1, Status.FAILED, "ValueError: no")
    lines = table(render(failed, "console", 100), PROBLEMS[0])
    assert below(lines, "hinge").split() == ["published", "[1]", "0.4321"]


def test_a_problem_without_cells_shows_nothing() -> None:
    less = data(entry("hinge", 0.4321), entry("hinge", 0.8765, problem=1), count=1)
    report = render(less, "console", 100)
    assert "0.4321" in report and "0.8765" not in report


def test_the_json_has_them_as_they_are() -> None:
    given = data(entry("hinge", 0.9561))
    assert json.loads(render(given, "json"))["published"] == [asdict(each) for each in given.published]


@pytest.mark.verify
def test_the_command_stores_and_shows_them_and_measures_nothing_else(bench: Bench) -> None:
    paper = "{source: A & B 2020, scale: 0.01, unmeasured: oracle, values: {good: 95.7, oracle: 99999}}"
    bench.suite()
    bench.suite(name="with.yaml", published=paper)
    alone, beside = (bench(name, "--device", "cpu", "--json", "-").json for name in ("s.yaml", "with.yaml"))
    assert alone["published"] == []
    about = {"source": "A & B 2020", "note": None, "metric": "score"}
    assert beside["published"] == [
        {**about, "vary": {"loss": "good"}, "value": 0.957},
        {**about, "vary": {"loss": "oracle"}, "value": 999.99},
    ]
    for key in ("cells", "statements", "answer", "issues", "axes", "baseline", "exit"):
        assert beside[key] == alone[key]
    report = bench("report", "last").out
    assert re.search(r"\n  published \[1\] +0\.957\S*\n", report) and re.search(r"\noracle \[1\] +999\.99\S*\n", report)
    assert bench("validate", "with.yaml").code == 0
    bench.suite(name="wrong.yaml", published=paper.replace("good:", "god:"))
    wrong = bench("validate", "wrong.yaml")
    assert wrong.code == 2
    expected = "'god' is no contender of this suite and not under unmeasured, did you mean good?"
    assert wrong.lines[0].endswith(expected)
