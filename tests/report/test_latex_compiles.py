"""LaTeX tables as a real engine sets them: without an error, inside the text's width, every name as it is written."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.report import render
from harness.report.parts import COLUMNS, Arrangement
from harness.results import Run, Status

from .factory import LONG, LOSSES, METRICS, lost, result

ENGINE = next(filter(None, map(shutil.which, ("pdflatex", "tectonic"))), None)
pytestmark = [
    pytest.mark.verify,
    pytest.mark.skipif(ENGINE is None, reason="no LaTeX engine: apt-get install texlive-latex-recommended"),
]
HOSTILE = ["β=1|", "*a*", "[x](y)", r"\input{/etc/passwd}", "a_b^c~d", "50 % #1 $2 {&}", "--x", "<b>", "é", LONG]
PAGE = r"""\documentclass{article}
\usepackage{amssymb, booktabs}
\begin{document}
\listoftables
%s
\end{document}
"""


def log_of(text: str, folder: Path) -> str:
    """The log of an engine that ran twice, as it must for references; an error fails the test."""
    (folder / "paper.tex").write_text(PAGE % text, encoding="utf-8")
    assert ENGINE is not None
    once = "tectonic" in ENGINE
    words = ["--keep-logs", "paper.tex"] if once else ["-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    for _ in range(1 if once else 2):
        done = subprocess.run(
            [ENGINE, *words], cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
        assert done.returncode == 0, done.stdout[-2000:]
    return (folder / "paper.log").read_text(errors="replace")


def of(*losses: str, count: int = 2) -> Run:
    return lost(
        result(losses=losses, count=count), 1, Status.FAILED, "50 % of {a, b} & c_d #1 cost $2, and much more " * 3
    )


@pytest.mark.parametrize("wish", [None, Arrangement(columns=(*METRICS, *COLUMNS))])
@pytest.mark.parametrize("count", [1, 2])
def test_every_table_compiles_and_fits_the_page(wish: Arrangement | None, count: int, tmp_path: Path) -> None:
    log = log_of(render(of("cross_entropy", *LOSSES[1:], count=count), "latex", None, wish), tmp_path)
    assert "Overfull" not in log and "undefined" not in log and "multiply defined" not in log


def test_many_problems_are_blocks_of_one_table(tmp_path: Path) -> None:
    whole = result()
    cells = [
        replace(cell, id=f"{cell.id}{k}", vary={**cell.vary, "dataset": f"{cell.vary['dataset']}_{k}"})
        for k in range(6)
        for cell in whole.cells
    ]
    names = list(dict.fromkeys(str(cell.vary["dataset"]) for cell in cells))
    text = render(replace(whole, cells=tuple(cells), axes={**whole.axes, "dataset": [*names]}), "latex")
    assert len(names) == 12 and text.count(r"\begin{table}") == len(METRICS)
    assert "Overfull" not in log_of(text, tmp_path)


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not there to read the page")
def test_hostile_names_are_printed_as_they_are_written(tmp_path: Path) -> None:
    log_of(render(of("cross_entropy", *HOSTILE), "latex"), tmp_path)
    done = subprocess.run(["pdftotext", "-layout", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    printed = re.sub(r"[\sˆ˜^~_]", "", done.stdout.decode())  # the last ones are drawn, and no text
    for name in HOSTILE[:-2]:
        assert re.sub(r"[\s^~_]", "", name) in printed, name
