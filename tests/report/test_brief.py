"""The answer of any suite in at most 12 lines: what fails first, and nothing silently left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from harness.analysis import analyse
from harness.report import answer, brief
from harness.report.console import render
from harness.report.result import Result
from harness.results import Outcome, Run
from harness.results.codec import from_json
from tests.helpers.runs import row, run

REFERENCE = sorted((Path(__file__).parents[2] / "results" / "reference").glob("*.json"))


def stored(file: Path) -> Run:
    return from_json(json.loads(file.read_text()))


@pytest.mark.parametrize("file", [file for file in REFERENCE if file.stem != "index"], ids=lambda file: file.stem)
def test_answers_fit_at_every_width_and_count_what_they_leave_out(file: Path) -> None:
    found = stored(file)
    for width in (36, 56, 76, 106):
        said, whole = brief.brief(found, width)
        assert 0 < len(said) <= 12 and all(cell_len(line) <= width for line in said)
        if whole:
            continue
        heads = [line for line in said if re.match(r"(Holds|Undecided|Not tested|Fails)\b", line)]
        rest = re.search(r"Of (\d+) more claims? below", " ".join(said))
        assert len(heads) + int(rest[1] if rest else 0) == len(found.claims)
        failing = sum(claim.outcome is Outcome.FAILS for claim in found.claims)
        assert [line.startswith("Fails") for line in heads] == [True] * failing + [False] * (len(heads) - failing)
        text = " ".join(" ".join(said).split())
        cut = re.search(r"and \d+ more: -v", text)
        assert cut or all(f" By {asked.metric}" in text or width < 40 for asked in found.answers)
        assert all(" ".join(asked.ask.split()[:2]) in text for asked in found.answers) or cut


def many(problems: int) -> Run:
    draw = np.random.default_rng(0)
    names = ["old", *(f"a loss with a long name {k}" for k in range(11))]
    return analyse(
        run(
            [
                row(name, draw.normal(0.02 * (k % 5), 0.02, 8).tolist(), f"a data set with a long name {j}")
                for j in range(problems)
                for k, name in enumerate(names)
            ]
        )
    )


@pytest.mark.parametrize("problems", [1, 5, 20])
def test_a_suite_of_many_rows_has_twelve_lines(problems: int) -> None:
    report = render(many(problems), 80)
    panel = [line for line in report.splitlines() if line.startswith("│")]
    assert 0 < len(panel) <= 12 and "In m, against old" in panel[0]
    said = " ".join(line.strip("│ ") for line in panel)
    assert said.count("a loss") == len(re.findall(r"a loss with a long name \d", said)) > 0, "no name is cut"


def test_v_shows_the_whole_answer() -> None:
    found = stored(next(file for file in REFERENCE if file.stem == "hubness"))
    assert not brief.brief(found, 76).whole
    said, whole = brief.brief(found, 76, most=1000)
    text = " ".join(" ".join(said).split())
    assert (
        whole and " ".join(answer.lines(found)) == text and not re.search(r"\d more[,;. ]|\.\.\.", text.split("Of ")[0])
    )
    assert "Of 3 more claims 3 hold." in text


def test_three_numbers_of_one_statement_have_the_same_decimals() -> None:
    """In every stored result, of whatever size its numbers are."""
    for file in REFERENCE:
        if file.stem == "index":
            continue
        said = " ".join(answer.lines(stored(file)))
        for found in re.finditer(r"([+-][\d.]+)(?: [^\d\s(]\S*)? \((-?[\d.]+) to (-?[\d.]+)\)", said):
            assert len({len(number.partition(".")[2]) for number in found.groups()}) == 1, found[0]


def test_wide_characters_take_two_columns() -> None:
    found = many(3)
    renamed = Result(found).to_json().replace("a loss with a long name", "長い名前の損失関数")
    for width in (36, 76):
        said = brief.lines(from_json(json.loads(renamed)), width)
        assert len(said) <= 12 and all(cell_len(line) <= width for line in said) and "損失関数" in " ".join(said)
