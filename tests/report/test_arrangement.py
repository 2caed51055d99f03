"""Rows sorted and columns chosen as a reader asks for: the same in every format that has tables."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.report import render
from harness.report.parts import COLUMNS, Arrangement
from harness.results import Run, Status

from .factory import LOSSES, PROBLEMS, lost, mean_of, on_rows, result, with_metric
from .test_formats import gapless, latex, tables

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference" / "quickstart.json"


def shuffled() -> Run:
    """Rows whose nll is best (0.1) for the last contender and lost for the second."""
    ends = {number: 0.1 * (9 - number) for number in range(10)}
    whole = result()
    for place, mean in ends.items():
        whole = on_rows(whole, lambda each, m=mean: with_metric(each, "nll", mean=m, low=m, high=m), place)  # type: ignore[misc]
    return lost(whole, 1, Status.FAILED, "no luck")


def test_rows_are_sorted_by_a_metric_in_every_format() -> None:
    wanted = [LOSSES[4], LOSSES[3], LOSSES[2], LOSSES[0], LOSSES[1]]
    by = Arrangement(sort="nll")
    assert [row[0] for row in tables(render(shuffled(), "md", None, by))[1][1:]] == wanted
    assert [row[0] for row in gapless(latex(shuffled(), by)[0])[1:]] == [name.replace(" ", "") for name in wanted]
    found = list(csv.DictReader(io.StringIO(render(shuffled(), "csv", None, by))))
    first = [row for row in found if row["dataset"] == PROBLEMS[0]]
    assert list(dict.fromkeys(row["loss"] for row in first)) == wanted
    report = render(shuffled(), "console", 250, by).split("\n\ndigits\n")[1].splitlines()
    assert [re.split(" {2,}", line)[0] for line in report[2:7]] == wanted


def test_of_a_metric_that_is_better_high_the_highest_is_first() -> None:
    table = tables(render(result(), "md", None, Arrangement(sort="accuracy")))[1]
    means = [float(re.findall(r"0\.\d+", row[1])[0]) for row in table[1:]]
    assert means == sorted((mean_of(0, loss, 0) for loss in range(5)), reverse=True)


@pytest.mark.parametrize(
    ("columns", "heads"),
    [
        (("ece", "nll"), ["ece ↓", "nll ↓"]),
        (("nll", "verdict", "difference"), ["nll ↓", "verdict", "vs cross_entropy"]),
        (("time", "tuned", "accuracy"), ["s/seed", "lr", "accuracy ↑"]),
        (("verdict",), ["verdict"]),
    ],
)
def test_columns_are_those_asked_for_in_their_order(columns: tuple[str, ...], heads: list[str]) -> None:
    wish = Arrangement(columns=columns)
    (_, table, _) = tables(render(result(), "md", None, wish))
    assert table[0] == ["loss", *heads]
    line = next(line for line in render(result(), "console", 200, wish).split("\n\ndigits\n")[1].splitlines())
    assert re.split(r" {2,}", line.strip()) == ["loss", *heads]


def test_the_first_metric_asked_for_is_the_one_that_is_compared() -> None:
    whole = on_rows(result(), lambda each: replace(each, against={k: v for k, v in each.against.items() if k != "nll"}))
    (_, table, _) = tables(render(whole, "md", None, Arrangement(columns=("nll", "difference"))))
    assert table[0] == ["loss", "nll ↓"], "there is nothing to compare in"
    found = csv.DictReader(io.StringIO(render(whole, "csv", None, Arrangement(columns=("nll",)))))
    assert {row["metric"] for row in found} == {"nll"}


def test_the_spread_over_seeds_is_drawn_on_request() -> None:
    whole = result(losses=LOSSES[:2], count=1)
    for place, values in enumerate([(0.0, 0.0, 0.0, 1.0), (0.5, 0.5, None, 1.0)]):
        whole = on_rows(whole, lambda each, v=values: with_metric(each, "accuracy", values=v), place)  # type: ignore[misc]
    report = render(whole, "console", 100, Arrangement(columns=("seeds",)))
    assert "seeds: accuracy" in report and "█      ▃" in report and "    █  ▄" in report
    assert "█" not in render(whole, "console", 100)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Arrangement(sort="acuracy"), "--sort: the run has no metric 'acuracy', did you mean accuracy?"),
        (Arrangement(columns=("verdct",)), "--columns: the run has no column 'verdct', did you mean verdict?"),
        (Arrangement(columns=("zzz",)), r"--columns: the run has no column 'zzz' \(choose from accuracy, baseline, "),
    ],
)
@pytest.mark.parametrize("form", ["console", "csv", "md", "latex"])
def test_an_unknown_name_has_a_near_miss(wish: Arrangement, said: str, form: str) -> None:
    with pytest.raises(BenchError, match=said):
        render(result(), form, None, wish)
    with pytest.raises(BenchError, match="are for tables"):
        render(result(), "json", None, wish)


@pytest.mark.parametrize(("words", "code"), [(["--sort", "nll", "--columns", "nll, tuned"], 0), (["--sort", "nl"], 2)])
def test_the_command_takes_both(words: list[str], code: int) -> None:
    command = [sys.executable, "-m", "harness", "report", str(REFERENCE), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    if code:
        assert done.stderr == "bench: --sort: the run has no metric 'nl', did you mean nll?\n" and not done.stdout
    else:
        assert re.search(r"^loss +nll \[nats\] ↓ +lr$", done.stdout, re.MULTILINE)


def test_final_values_of_learned_fields_and_evaluations_have_columns() -> None:
    one = on_rows(result(), lambda each: replace(each, learned={"temperature": 0.4567}, used={"nfe": 20.0}), 1)
    report = render(one, "console", 200)
    assert "learned temperature" in report and "0.457" in report and "NFE used" in report
    both = on_rows(one, lambda each: replace(each, learned={"temperature": 0.4567, "margin": -2.0}), 1)
    assert "temperature=0.457, margin=-2" in render(both, "console", 200)
    assert "learned" not in render(result(), "console", 200) and "NFE" not in render(result(), "console", 200)


def test_the_documentation_has_every_column() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text()
    table = page.split("## Sorted rows and chosen columns")[1].split("##")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(.*?)`", cell)} == set(COLUMNS)
