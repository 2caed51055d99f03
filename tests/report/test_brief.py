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
from harness.results import Outcome, Run
from harness.results.codec import from_json
from tests.helpers.runs import row, run

REFERENCE = sorted((Path(__file__).parents[2] / "results" / "reference").glob("*.json"))


def stored(file: Path) -> Run:
    return from_json(json.loads(file.read_text()))


@pytest.mark.parametrize("file", [file for file in REFERENCE if file.stem != "index"], ids=lambda file: file.stem)
def test_answers_fit_at_every_width_and_count_what_they_leave_out(file: Path) -> None:
    found = stored(file)
    whole = answer.lines(found)
    for width in (36, 56, 76, 106):
        said = brief.lines(found, width)
        assert 0 < len(said) <= 12 and all(cell_len(line) <= width for line in said)
        if " ".join(said) == " ".join(whole):
            continue
        heads = [line for line in said if re.match(r"(Holds|Undecided|Not tested|Fails)\b", line)]
        rest = re.search(r"Of (\d+) more claims? below", " ".join(said))
        assert len(heads) + int(rest[1] if rest else 0) == len(found.claims)
        failing = sum(claim.outcome is Outcome.FAILS for claim in found.claims)
        assert [line.startswith("Fails") for line in heads] == [True] * failing + [False] * (len(heads) - failing)
        assert all(any(line.startswith(f"By {asked.metric}") for line in said) for asked in found.answers)


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
    assert 0 < len(panel) <= 12 and "In m, " in panel[0]


def test_v_shows_the_whole_answer() -> None:
    found = stored(next(file for file in REFERENCE if file.stem == "hubness"))
    assert "".join(answer.lines(found)) != "".join(brief.lines(found, 76))
    whole = " ".join(brief.lines(found, 76, most=1000))
    assert whole == " ".join(answer.lines(found))
