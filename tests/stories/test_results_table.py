"""A table of results becomes a LaTeX matrix and a figure in two commands."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from statistics import fmean

import pytest
from PIL import Image

from tests.conftest import Bench
from tests.stories.conftest import Documented

pytestmark = pytest.mark.verify


def test_a_latex_matrix_and_a_figure_in_two_commands(bench: Bench, documented: Documented) -> None:
    documented("import.md")
    first = bench("import", "results.csv", "--baseline", "theirs")
    assert first.code == 0 and "Answer" in first.out, first.err
    second = bench("report", "last", "--format", "latex", "--figures", "figures")
    assert second.code == 0 and [line.split(".")[0] for line in second.lines] == [
        "figure figures/differences-in-accuracy",
        "figure figures/accuracy-by-seed",
    ]

    scores = defaultdict(list)
    with open(bench.folder / "results.csv") as stream:
        for row in csv.DictReader(stream):
            scores[row["method"], row["dataset"]].append(float(row["accuracy"]))
    matrix = second.out.split(r"\end{tabular}")[0]
    assert r"-accuracy}" in matrix and r"contender & digits & wine \\" in matrix
    shown = {line.split(" & ")[0]: line for line in matrix.splitlines() if " & " in line}
    for method in ("ours", "theirs"):
        means = [float(text) for text in re.findall(r"0\.\d{4}(?= \$\\pm)", shown[method])]
        expected = [fmean(scores[method, data]) for data in ("digits", "wine")]
        assert means == pytest.approx(expected, abs=6e-5)
    with Image.open(bench.folder / "figures" / "differences-in-accuracy.png") as image:
        assert image.convert("L").getextrema()[0] < 100  # something is drawn
