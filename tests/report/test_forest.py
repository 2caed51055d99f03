"""Differences drawn beside their numbers: on one scale for a problem, crossing zero where the interval does."""

from __future__ import annotations

import io
import json
import math
import re
import statistics
from pathlib import Path

import pytest

from harness.report import html
from harness.report.console import console_for, render, show
from harness.results.runs import stored

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"


def drawn(suite: str, width: int, encoding: str = "utf-8") -> dict[str, str]:
    """The drawing of every row of the first problem, by its label; empty where there is none."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    console = console_for(stream, "never")
    console.width = width
    show(stored(REFERENCE, str(REFERENCE / f"{suite}.json")), console)
    stream.flush()
    report = raw.getvalue().decode(encoding)
    table = next(part for part in report.split("\n\n") if " vs " in part and part.startswith("digits\n"))
    found = {"": table.splitlines()[1]}
    for line in table.splitlines()[3:]:
        part = re.search(r"[<>◄►\-o|+─●│┼ ]*$", line)
        assert part is not None
        found[line.split("  ")[0]] = part[0].strip()
    return found


@pytest.mark.parametrize(("encoding", "glyphs"), [("utf-8", "─●│┼◄►"), ("ascii", "-o|+<>")])
def test_a_line_is_the_interval_of_its_row(encoding: str, glyphs: str) -> None:
    """An independent reading of the result: where the ends and the point of every row lie on twelve characters."""
    line, point, stroke, cross, left, right = glyphs
    found = drawn("accuracy", 140, encoding)
    head = re.search(r"p +[−-]([\d.]+) {5,}0 {5,}\+([\d.]+)$", found.pop(""))
    assert head is not None and head[1] == head[2]
    run = stored(REFERENCE, str(REFERENCE / "accuracy.json"))
    rows = {str(row.vary["loss"]): row for row in run.cells if row.vary["dataset"] == "digits"}
    differences = {name: row.against["accuracy"] for name, row in rows.items() if row.against}
    ends = {name: (each.low or 0.0, each.difference or 0.0, each.high or 0.0) for name, each in differences.items()}
    extents = [max(abs(low), abs(high)) for low, _, high in ends.values()]
    scale = float(head[1])
    assert scale == pytest.approx(min(max(extents), 4 * statistics.median(extents)), rel=0.1)
    assert scale >= min(max(extents), 4 * statistics.median(extents))
    assert found["cross_entropy"] == stroke and len(ends) == len(found) - 1
    for name, (low, middle, high) in ends.items():
        text, places = found[name], [round(12 * end / scale) for end in (low, middle, high)]
        assert (left in text, right in text) == (places[0] < -12, places[2] > 12)
        assert (point in text) == (-12 <= places[1] <= 12)
        assert (cross in text) == (low < 0 < high and places[1] != 0)
        zero = next((text.index(sign) for sign in (stroke, cross) if sign in text), None)
        if zero is not None and point in text:
            assert text.index(point) - zero == places[1]
        inside = range(max(-12, places[0]), min(12, places[2]) + 1)
        assert text.count(line) == sum(each not in (0, places[1], *([-12] * (left in text))) for each in inside)


@pytest.mark.parametrize("width", [80, 99])
def test_narrow_reports_have_none(width: int) -> None:
    assert not any("●" in text or "│" in text for text in drawn("accuracy", width).values())


def test_ratios_are_drawn_around_one() -> None:
    """Twice as long and half as long lie equally far from the stroke."""
    run = stored(REFERENCE, str(REFERENCE / "speed-losses.json"))
    report = render(run, 140)
    table = next(part for part in report.split("\n\n") if " vs " in part and part.startswith("n=1000\n"))
    axis = re.search(r"÷([\d.]+) +1 +×([\d.]+)$", table.splitlines()[1])
    assert axis is not None and axis[1] == axis[2]
    zero = table.splitlines()[1].rindex(" 1 ") + 1
    drawn_rows = 0
    for row in run.cells:
        found = row.against.get("seconds")
        if row.vary["n"] != 1000 or found is None or found.ratio is None or found.ratio.ratio is None:
            continue
        line = next(line for line in table.splitlines() if line.startswith(f"{row.vary['loss']} "))
        if "●" in line:
            away = 12 * math.log(found.ratio.ratio) / math.log(float(axis[1]))
            assert abs(line.rindex("●") - zero - away) <= 1
            drawn_rows += 1
    assert drawn_rows > 10


@pytest.mark.parametrize("factor", [1e5, 1e307, 1e-310])
def test_differences_of_any_size_are_drawn(factor: float, tmp_path: Path) -> None:
    found = json.loads((REFERENCE / "accuracy.json").read_text())
    for each in (cell["against"].get("accuracy", {}) for cell in found["cells"]):
        each.update({key: each[key] * factor for key in ("difference", "low", "high") if each.get(key) is not None})
    file = tmp_path / "large.json"
    file.write_text(json.dumps(found))
    run = stored(tmp_path, str(file))
    assert "●" in render(run, 4000)
    assert ("<svg" in html.render(run)) == (factor == 1e5), "a browser computes with no larger or smaller numbers"
