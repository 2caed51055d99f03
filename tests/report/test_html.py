"""The HTML page, read back by the standard library's parser; `test_html_in_a_browser` opens it."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from dataclasses import replace

import pytest

from harness.report import render
from harness.report.answer import lines
from harness.report.html import Picture, Subject, page
from harness.report.html.bars import WIDTH, scale
from harness.report.number_format import Estimate
from harness.results import Run, Status

from .factory import LOSSES, METRICS, PROBLEMS, lost, on_rows, result, with_info, with_metric
from .pages import Element, read
from .test_published import data as published
from .test_published import entry

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "</style></title><b>",
    "x" * 10_000,
)


def opened(run: Run) -> Element:
    return read(render(run, "html"))


def policy(found: Element) -> dict[str, str]:
    (meta,) = [each for each in found.all("meta") if each.attributes.get("http-equiv") == "Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in meta.attributes["content"].split(";"))


def cells(found: Element, anchor: str) -> dict[str, Element]:
    """The cells of a row by the heads of its table."""
    (table,) = [each for each in found.all("table") if each.all("tr", id=anchor)]
    (row,) = table.all("tr", id=anchor)
    heads = [each.attributes.get("data-column", "") for each in table.all("tr")[0].children]
    return dict(zip(heads, row.children, strict=True))


def test_the_policy_admits_the_pages_own_script_and_style_by_their_digests_and_nothing_else() -> None:
    found = opened(result())
    rules = policy(found)
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (element,) = found.all(tag)
        digest = b64encode(hashlib.sha256("".join(element.texts).encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"


@pytest.mark.parametrize(
    "made", [result(), result(count=1), replace(result(), cells=()), replace(result(), baseline=None)]
)
def test_nothing_is_loaded_and_no_attribute_is_code_or_style(made: Run) -> None:
    for each in opened(made).all():
        assert not [name for name in each.attributes if name.startswith("on") or name == "style"]
        assert each.attributes.get("src", "data:").startswith("data:")
        assert each.attributes.get("href", "#").startswith(("#", "data:,"))


def test_every_link_leads_to_an_anchor_of_the_page_and_anchors_are_unique() -> None:
    subjects = [Subject(result()), Subject(published(entry("hinge", 0.4321))), Subject(result(count=1))]
    for text in (render(result(), "html"), page(subjects)):
        found = read(text)
        anchors = [each.attributes["id"] for each in found.all() if "id" in each.attributes]
        targets = [each.attributes["href"][1:] for each in found.all("a")]
        targets += [
            each.attributes["popovertarget"] for each in found.all("button") if "popovertarget" in each.attributes
        ]
        assert len(anchors) == len(set(anchors)) and set(targets) <= set(anchors)
        assert len(targets) > 20


def test_numbers_are_those_of_the_json() -> None:
    made = result()
    found, stored = opened(made), json.loads(render(made, "json"))
    for number, cell in enumerate(stored["cells"]):
        shown = cells(found, f"r1-{number}")
        for place, name in enumerate(METRICS):
            key = shown[f"metric-{place}"].attributes["data-key"]
            assert float(key) == cell["metrics"][name]["mean"]
            assert f"{cell['metrics'][name]['mean']:.4f}" in shown[f"metric-{place}"].text
        against = cell["against"].get("accuracy")
        if against:
            assert float(shown["difference"].attributes["data-key"]) == against["difference"]
            assert (
                against["verdict"] in shown["verdict"].text
                and float(shown["p"].attributes["data-key"]) == against["p_holm"]
            )
        else:
            assert shown["difference"].text == "baseline"


def test_a_bar_says_its_interval_and_lies_on_the_side_of_zero_of_its_difference() -> None:
    made = result()
    found = opened(made)
    for number, cell in enumerate(made.cells):
        shown = cells(found, f"r1-{number}")["bar"]
        if against := cell.against.get("accuracy"):
            (title,) = shown.all("title")
            assert title.text == f"{against.low:.3g} to {against.high:.3g}".replace("-", "−")
            (circle,), (zero, *_) = shown.all("circle"), [each.attributes["d"] for each in shown.all("path")]
            side = float(circle.attributes["cx"]) - float(re.findall(r"[\d.]+", zero)[0])
            assert (side > 0) == (against.difference is not None and against.difference > 0)
        else:
            assert not shown.all("svg")


def test_an_interval_far_beyond_the_others_is_cut_with_an_arrow_and_all_scales_are_finite() -> None:
    near = [Estimate(0.1 * n, 0.1 * n - 0.1, 0.1 * n + 0.1) for n in range(-2, 3)]
    drawn = scale([*near, Estimate(50.0, 40.0, 60.0)], 0.0)
    assert drawn is not None and drawn.high < 1 and drawn.zero == drawn.place(0.0)
    far, close = drawn.bar(Estimate(50.0, 40.0, 60.0)), drawn.bar(near[0])
    assert far is not None and far.after and not far.before and far.mean <= WIDTH
    assert close is not None and (close.before, close.after) == (False, False) and close.low < close.mean < close.high
    ratios = scale([Estimate(1e200, 1e199, 1e201), Estimate(1.0, 0.9, 1.1)], 1.0, logarithmic=True)
    assert ratios is not None and ratios.ticks[0].text == "×0.9"
    assert scale([Estimate(0.0, 0.0, 0.0), None], 0.0) is None and scale([], None) is None


def test_the_answer_is_there_with_links_to_the_rows_that_it_is_about() -> None:
    made = result()
    found = opened(made)
    (answer,) = [each for each in found.all("section") if each.attributes.get("class") == "answer"]
    assert [each.text for each in answer.children[1].children] == lines(made)
    linked = {each.attributes["href"] for each in answer.all("a")}
    assert {f"#r1-{number}" for number, cell in enumerate(made.cells) if cell.against} <= linked
    back = {each.attributes["href"] for row in found.all("tbody") for each in row.all("a")}
    assert "#r1-answer" in back


def test_the_matrix_has_every_row_with_its_rank_the_longer_axis_downwards() -> None:
    (matrix,) = [each for each in opened(result()).all("div") if each.attributes.get("class") == "wide matrix"]
    rows = [[cell.text for cell in row.children] for row in matrix.all("tr")]
    assert rows[0] == ["loss", *PROBLEMS] and [row[0] for row in rows[1:]] == list(LOSSES)
    assert {each.attributes["href"] for row in matrix.all("td") for each in row.all("a")} == {
        f"#r1-{n}" for n in range(10)
    }
    assert rows[3][1:] == ["★ 0.5026 ▲", "★ 0.5126 ▲"] and rows[1][1:] == ["☆ 0.5000", "☆ 0.5100"]
    few = opened(result(losses=LOSSES[:1]))
    (matrix,) = [each for each in few.all("div") if each.attributes.get("class") == "wide matrix"]
    assert [row.children[0].text for row in matrix.all("tr")] == ["problem", *PROBLEMS]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_whatever_is_in_them(name: str) -> None:
    made = replace(result(losses=["cross_entropy", name], count=1), suite=name, question=name)
    made = lost(replace(made, environment={"plugins": {name: name}}), 1, Status.FAILED, name)
    found = read(page([Subject(made, command=f"bench {name}", remark=name, pictures=(Picture(name, name, why=name),))]))
    assert len(found.all("script")) == len(found.all("style")) == len(found.all("head")[0].all("title")) == 1
    assert not found.all("img") and not found.all("b")
    heads = [each.text for each in found.all("th", scope="row")]
    assert len(heads) == 2 and heads[1].startswith(name[:100])
    assert found.all("p")[1].text == name


def test_no_name_turns_the_text_after_it() -> None:
    text = render(result(losses=["cross_entropy", "abc\u202egpj.exe\u2066"]), "html")
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text) and "abc\ufffdgpj.exe" in text


def test_definitions_are_those_of_the_code_and_every_column_has_one() -> None:
    made = with_info(result(), 1, definition="Surprise of the label.\n\nLower is <better>.", caveat="is heavy-tailed")
    found = opened(made)
    heads = [each for each in found.all("th") if "data-column" in each.attributes]
    named = {each.attributes["id"]: each.text for each in found.all("div") if "popover" in each.attributes}
    for head in heads:
        (button,) = [each for each in head.all("button") if "popovertarget" in each.attributes]
        assert named[button.attributes["popovertarget"]]
    assert (
        "Surprise of the label. Lower is <better>." in named["r1-metric-1"]
        and "nll is heavy-tailed" in named["r1-metric-1"]
    )


def test_a_lost_row_and_published_numbers_are_rows() -> None:
    found = opened(lost(published(entry("hinge", 0.4321)), 2, Status.CRASHED, "signal 9"))
    (row,) = found.all("tr", id="r1-2")
    assert "✗ crashed" in row.children[0].text and "signal 9" in row.children[0].text
    (line, *_) = [each for each in found.all("tr") if each.attributes.get("class") == "published"]
    assert line.children[0].text == "hinge [1], published" and line.children[1].text.startswith("0.4321")


def test_a_partial_mean_is_marked_and_what_is_infinite_is_sorted_as_such() -> None:
    made = on_rows(result(), lambda cell: with_metric(cell, "nll", values=(None, 1.0), mean=None, infinite=(1, 0)), 1)
    assert cells(opened(made), "r1-1")["metric-1"].attributes["data-key"] == "Infinity"


def test_several_runs_stand_side_by_side() -> None:
    second = replace(result(), run="r2")
    found = read(page([Subject(result()), Subject(second)]))
    (beside,) = [
        each for each in found.all("div") if each.attributes.get("class") == "wide matrix" and "r2" in each.text
    ]
    rows = [[cell.text for cell in row.children] for row in beside.all("tr")]
    assert rows[0] == ["row", "r1", "r2"] and rows[2][0] == f"{LOSSES[1]} on {PROBLEMS[0]}" and rows[2][1] == rows[2][2]
    assert len(found.all("article")) == 2


def test_a_figure_is_an_image_inside_the_page_with_words() -> None:
    drawn = Picture("front", "Speed and quality <b>", "image/svg+xml", b"<svg/>")
    (image,) = read(page([Subject(result(), "bench s.yaml", (drawn,))])).all("img")
    assert image.attributes == {"src": "data:image/svg+xml;base64,PHN2Zy8+", "alt": "Speed and quality <b>"}
    assert "bench report RUN --format html" in render(result(), "html")


@pytest.mark.verify
def test_a_thousand_rows_fit_in_three_megabytes() -> None:
    labels = [*LOSSES, *(f"loss-{number}" for number in range(495))]
    text = render(result(losses=labels), "html")
    assert len(read(text).all("tr")) == 1000 + 2 + 1 + 500
    assert len(text.encode()) < 3_000_000
