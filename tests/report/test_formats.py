"""CSV, Markdown and LaTeX, read back: by the standard library, by a Markdown parser, by undoing every escape."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness.errors import BenchError
from harness.report import BINARY, content, formats, render
from harness.report.answer import answer, lines
from harness.report.parts import Arrangement
from harness.results import IntervalKind, Json, Run, Status

from .factory import EDGE, LONG, LOSSES, METRICS, PROBLEMS, lost, on_rows, result, with_info, with_metric
from .reading import spaced
from .test_published import data as published
from .test_published import entry


def rows(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(run, "csv"))))


def tables(text: str) -> list[list[list[str]]]:
    """The texts of every table, cell by cell, as a reader sees them."""
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level > 3:
            found[-1][-1].append("".join(child.content for child in token.children or []))
    return found


def test_every_cell_and_metric_is_one_row_with_all_its_digits() -> None:
    whole = result()
    found = rows(whole)
    assert [(row["dataset"], row["loss"], row["metric"]) for row in found] == [
        (problem, loss, metric) for problem in PROBLEMS for loss in LOSSES for metric in METRICS
    ]
    cells = {(cell.vary["dataset"], cell.vary["loss"]): cell for cell in whole.cells}
    for row in found:
        cell = cells[row["dataset"], row["loss"]]
        metric, against = cell.metrics[row["metric"]], cell.against.get(row["metric"])
        assert [float(row[key]) for key in ("mean", "low", "high")] == [metric.mean, metric.low, metric.high]
        assert (row["status"], row["seeds"], row["best"]) == ("ok", "2", cell.best[row["metric"]])
        names = {"difference": "difference", "difference_low": "low", "difference_high": "high", "p_holm": "p_holm"}
        for name, key in names.items():
            assert (float(row[name]) if row[name] else None) == getattr(against, key, None)
        assert row["verdict"] == (getattr(against, "verdict", None) or "")


@pytest.mark.verify
def test_parquet_has_the_table_of_csv_with_typed_columns() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    whole = lost(result(), 1, Status.CRASHED, "=1+1, killed")
    wish = Arrangement(sort="nll", columns=("nll", "accuracy"))
    table = parquet.read_table(io.BytesIO(content(whole, "parquet", wish)))
    assert {str(table.schema.field(name).type) for name in ("mean", "p_holm", "difference_low")} == {"double"}
    assert [str(table.schema.field(name).type) for name in ("higher_is_better", "family", "loss")] == [
        "bool",
        "int64",
        "string",
    ]
    expected = list(csv.DictReader(io.StringIO(render(whole, "csv", None, wish))))
    found = [{name: "" if value is None else str(value) for name, value in row.items()} for row in table.to_pylist()]
    assert found == [{name: text.removeprefix("'") for name, text in row.items()} for row in expected]


@pytest.mark.verify
def test_parquet_is_written_to_a_file_and_not_to_a_terminal(tmp_path: Path) -> None:
    reference = Path(__file__).resolve().parents[2] / "results" / "reference" / "quickstart.json"
    command = [sys.executable, "-m", "harness", "report", str(reference), "--format", "parquet"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.startswith(b"PAR1") and done.stdout.endswith(b"PAR1") and not done.stderr
    main, end = os.openpty()
    done = subprocess.run(command, stdout=end, stderr=subprocess.PIPE, check=False)
    os.close(end), os.close(main)
    assert done.returncode == 2 and done.stderr.decode().startswith("bench: parquet is not for a terminal")


def test_parquet_without_pyarrow_says_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BenchError, match=r"pip install 'touchstone-bench\[parquet\]'"):
        content(result(), "parquet")


def test_a_lost_cell_is_a_row_too() -> None:
    whole = lost(result(), 1, Status.CRASHED, 'signal 9, "killed"')
    (found,) = [row for row in rows(whole) if row["status"] == "crashed"]
    assert (found["reason"], found["metric"], found["mean"], found["seeds"]) == ('signal 9, "killed"', "", "", "0")


def test_nothing_measured_is_a_heading_alone() -> None:
    assert rows(replace(result(), cells=())) == []
    assert "Nothing was measured." in render(replace(result(), cells=()), "md")


def test_markdown_has_the_tables_of_the_console() -> None:
    whole = result()
    console, (summary, *found) = spaced(render(whole, "console", 300)), tables(render(whole, "md"))
    assert len(found) == len(PROBLEMS) and summary[0] == ["loss", *PROBLEMS]
    for table in found:
        assert table[0] == [
            *["loss", "accuracy ↑", "vs cross_entropy", "verdict", "p", "nll ↓", "ece ↓", "lr", "s/seed"]
        ]
        assert [row[0] for row in table[1:]] == list(LOSSES)
        assert all(text in console for row in table for text in row)
        assert {len(row) for row in table} == {9}


def test_what_is_said_around_the_tables_is_there_too() -> None:
    whole = lost(result(losses=(*LOSSES, "a", "b", "c", "d")), 1, Status.SKIPPED, "an impossible pair")
    text = render(whole, "md")
    first = f"In accuracy, against cross_entropy, in both problems: better: b (between +0.0959 and +0.1036), {LONG}"
    said = re.split(r"\n\n(?=#|\*\*|[A-Z])", text.split("**Answer**")[1])[0]
    told = " ".join(line.removeprefix("- ") for line in said.split("\n") if line)
    assert told == " ".join(lines(whole)) and told.startswith(first) and answer(whole).startswith(first[:90])
    for line in ("Does any loss beat cross-entropy?",
                 "- hinge on digits: skipped: an impossible pair", f"- {EDGE}", "**Issues**",
                 "**What would decide the undecided**", f"### {PROBLEMS[1]}", "p adjusted by Holm for 8 comparisons"):  # fmt: skip
        assert line in text
    gone = next(row for row in tables(text)[1] if row[0] == "hinge")
    assert gone[1] == "✗ skipped: an impossible pair" and set(gone[2:]) == {""}


def test_published_numbers_are_in_italics_below_their_row() -> None:
    text = render(published(entry("hinge", 0.4321)), "md")
    assert "| *published \\[1\\]* | *0.4321* |" in text
    (_, table, _) = tables(text)
    assert [row[0] for row in table][2:4] == ["hinge", "published [1]"]


MATHS = {"pm": "±", "-": "−", "times": "×", "cdot": "·", "uparrow": "↑", "downarrow": "↓", "bigstar": "★", "star": "☆", "<": "<", ">": ">", "|": "|",
         "blacktriangle": "▲", "blacktriangledown": "▼"}  # fmt: skip
EVERYTHING = Arrangement(columns=(*METRICS, "difference", "verdict", "p", "tuned", "time"))


def read(text: str) -> str:
    """What LaTeX prints, with the star of a number before it, as in the other formats."""
    text = re.sub(r"\\begin\{tabular\}\[.\]\{@\{\}l@\{\}\}(.*?)\\end\{tabular\}", r"\1", text).replace(r" \\ ", " ")
    text = re.sub(r"\\multicolumn\{\d\}\{p\{.*?\}\}\{\\raggedright (.*)\}$", r"\1", text)
    text = re.sub(r"\$\^\{(\\\w+)\}\$", r" $\1$", text)
    text = re.sub(r"\\text(bf|it)\{(.*?)\}(?= |$)", r"\2", text)
    text = re.sub(r"\{([\[\]*])\}", r"\1", text).replace(r"\textbackslash{}", r"\backslash").replace("--", "–")
    text = re.sub(r"(?<!\\)\$\\?(.*?)\$", lambda found: MATHS[found[1]], text)
    text = re.sub(r"\\([&%$#_{}])", r"\1", text).replace(r"\backslash", "\\")
    return re.sub(r"^(.*) ([★☆])", r"\2 \1", text)


def latex(run: Run, arrangement: Arrangement | None = None) -> list[list[list[str]]]:
    """The texts of every table, cell by cell, as a reader sees them; blocks of one table side by side."""
    tables = re.findall(
        r"\\begin\{table\}(.*?)\\end\{table\}", render(run, "latex", None, arrangement), flags=re.DOTALL
    )
    return [_joined(re.findall(r"\\toprule\n(.*?)\\bottomrule", table, flags=re.DOTALL)) for table in tables]


def _joined(bodies: list[str]) -> list[list[str]]:
    lines = [[line for line in body.splitlines() if line != r"\midrule"] for body in bodies]
    assert all(line.endswith(r" \\") for block in lines for line in block)
    cells = [[[read(cell.strip()) for cell in re.split(r"(?<!\\)&", line[:-3])] for line in block] for block in lines]
    first, *others = cells
    for block in others:
        further = {row[0]: row[1:] for row in block}
        first = [row + further.get(row[0], [""] * (len(block[0]) - 1)) for row in first]
    return first


def gapless(table: list[list[str]]) -> list[list[str]]:
    """A table without the spaces at which texts may be wrapped; of a row that ended its name and notice alone."""
    rows = [[cell.replace(" ", "") for cell in row] for row in table]
    return [row[:2] if {*row[2:]} <= {"", row[1].split(":")[0]} and row[1].startswith("×") else row for row in rows]


def test_latex_has_the_tables_of_markdown() -> None:
    whole = lost(published(entry("hinge", 0.4321)), 2, Status.FAILED, "50 % of {a, b} & c_d #1 cost $2")
    text = render(whole, "latex", None, EVERYTHING)
    summary, *others = tables(render(whole, "md", None, EVERYTHING).replace("✗", "×"))
    found = latex(whole, EVERYTHING)
    assert [*map(gapless, found[len(METRICS) :])] == [*map(gapless, others)]
    assert gapless(found[0]) == gapless(summary) and latex(whole) == found[: len(METRICS)]
    count = len(METRICS) + len(PROBLEMS)
    assert text.isascii() and text.count(r"\begin{table}") == text.count(r"\end{table}") == count
    labels = re.findall(r"\\label\{(tab:[\w-]+)\}", text)
    assert len(labels) == len(set(labels)) == count
    assert len(re.findall(r"(?<!\\)\{", text)) == len(re.findall(r"(?<!\\)\}", text))
    assert r"p adjusted by Holm for 8 comparisons" in text and r"\textit{published {[}1{]}}" in text


def test_latex_has_a_matrix_of_contenders_and_problems_for_every_metric() -> None:
    """The numbers are those of the tables by problem; a lost row and a row that a problem lacks are seen."""
    whole = lost(result(), 2, Status.FAILED, "no luck")
    whole = replace(whole, cells=whole.cells[:-1])
    text, found = render(whole, "latex"), [*map(gapless, latex(whole, EVERYTHING))]
    for number, metric in enumerate(METRICS):
        assert rf"\label{{tab:losses-on-digits-{metric}}}" in text
        head, *body = found[number]
        assert head == ["loss", *PROBLEMS] and [row[0] for row in body] == [loss.replace(" ", "") for loss in LOSSES]
        for place, table in enumerate(found[len(METRICS) :]):
            column = next(k for k, text in enumerate(table[0]) if text.startswith(metric))
            numbers = {row[0]: re.findall(r"0\.\d+", row[column]) for row in table[1:] if not row[1].startswith("×")}
            assert {row[0]: re.findall(r"0\.\d+", row[1 + place]) for row in body if row[1 + place]} == numbers | (
                {LONG.replace(" ", ""): []} if place == 0 else {}
            )
        assert body[2][1] == "×failed" and body[-1][2] == ""
    assert rf"\textbf{{{METRICS[0]}" not in text and render(result(count=1), "latex").count(r"\label") == 1


@pytest.mark.parametrize("label", ["a|b", "*bold*", "`code`", "<b>", "[x](y)", "_it_", "a\\b", LONG, "my_loss(x_=1)"])
def test_labels_read_as_they_are_written(label: str) -> None:
    whole = result(losses=["cross_entropy", label], count=1)
    (table,) = tables(render(whole, "md"))
    assert table[2][0] == label and gapless(latex(whole)[0])[2][0] == label.replace(" ", "")
    assert {row["loss"] for row in rows(whole)} == {"cross_entropy", label}


def test_methods_say_what_was_done() -> None:
    environment: dict[str, Json] = {
        "python": "3.12.1",
        "torch": "2.13.0",
        "device": "cpu",
        "threads": 2,
        "harness": "0.1.0",
        "plugins": {"mine": "ab12"},
    }
    whole = replace(result(), protocol_version=3, environment=environment, margin={"nll": 0.01})
    whole = lost(whole, 1, Status.TIMEOUT, None)
    whole = on_rows(whole, lambda cell: with_metric(cell, "ece", interval=IntervalKind.SEEDS), 2)
    whole = on_rows(whole, lambda cell: replace(cell, metrics={k: v for k, v in cell.metrics.items() if k != "nll"}))
    assert render(whole, "methods") == (
        f"We compared 5 contenders ({', '.join(LOSSES)}) on 2 problems ({', '.join(PROBLEMS)}) by the protocol accuracy "
        "(version 3) of Touchstone 0.1.0. Rows were measured with 2 seeds, and paired by seed. "
        "Tuned for every contender, in equally many trials, on validation data and seeds of their own: lr. "
        "95 % intervals by Student's t over seeds and test examples, the variance clustered both ways (Cameron, Gelbach "
        "and Miller, 2011): accuracy, ece. 95 % intervals by Student's t over seeds: ece. "
        "Differences to the baseline cross_entropy were tested two-sided at a level of 5 %, p adjusted by Holm (1979) over "
        "the 8 comparisons of a metric. Two one-sided tests (Schuirmann, 1987) show what is equivalent, with a margin "
        "of 0.01 in nll. Rows that ended as timeout: 1. "
        "Everything ran with Python 3.12.1, PyTorch 2.13.0, cpu, 2 threads a process. "
        "Plugins by the digest of their code: mine ab12.\n"
    )


def test_methods_claim_no_test_that_was_not_made() -> None:
    whole = with_info(replace(result(losses=["cross_entropy"], count=1), baseline=None), 0, relative_margin=0.05)
    text = render(whole, "methods")
    assert "Holm" not in text and "Compared by the ratio to the baseline: accuracy." in text
    assert "clustered both ways (Cameron, Gelbach and Miller, 2011): nll, ece." in text


def test_every_format_renders_every_result() -> None:
    timed = {"pytest-benchmark"}  # needs a run in seconds: tests/report/test_pytest_benchmark.py
    for name in set(formats()) - timed - {*BINARY}:
        assert render(result(), name).endswith("\n") and content(result(), name).decode() == render(result(), name)
    for name in BINARY:
        with pytest.raises(BenchError, match="is no text"):
            render(result(), name)
