"""The summary of a CI job and the annotations of GitHub: what is said, escaped, and how much of it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.analysis import analyse
from harness.report import summary
from harness.report.annotations import MOST, command, lines
from harness.results import GateRule, Run, Status
from tests.helpers.runs import lost, row, run

VALUES = [0.9, 0.91, 0.92, 0.93]
GATE = GateRule(metric="m", rule="max_regression", bound=0.05, relative=True)
FORM = re.compile(r"::(error|warning)( (?:\w+=[^:,\r\n]*)(?:,\w+=[^:,\r\n]*)*)?::([^\r\n]*)")


def made(*, text: str = "no luck", problems: int = 1, failing: int = 1) -> Run:
    rows = []
    for number in range(problems):
        data = f"data {number}"
        rows += [row("old", VALUES, data), row("poor", [0.6, 0.62, 0.61, 0.64], data)]
        rows += [lost(f"broken {place}", Status.FAILED, text, data) for place in range(failing)]
        rows += [lost("left", Status.SKIPPED, "an impossible pair", data)]
    return analyse(run(rows, [GATE]))


def decoded(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads it."""
    found = FORM.fullmatch(line)
    assert found, line

    def plain(text: str) -> str:
        for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, sign)
        return text

    pairs = [each.split("=", 1) for each in (found[2] or "").strip().split(",") if each]
    return found[1], {name: plain(value) for name, value in pairs}, plain(found[3])


def test_gates_rows_and_conditions_are_annotations() -> None:
    found = [decoded(line) for line in lines(made(), ["regression"], "suites/s.yaml")]
    titles = [(kind, properties["title"], properties["file"]) for kind, properties, _ in found]
    assert titles == [
        ("error", "s: gate", "suites/s.yaml"),
        ("error", "s: --fail-on", "suites/s.yaml"),
        ("error", "s: failed", "suites/s.yaml"),
        ("warning", "s: skipped", "suites/s.yaml"),
        ("warning", "s: issue", "suites/s.yaml"),
    ]
    assert found[0][2].startswith("m max_regression 5 %: poor is ")
    assert found[2][2] == "broken 0: no luck"


def test_a_row_is_not_annotated_twice() -> None:
    said = [decoded(line)[2] for line in lines(made(), ["error", "skipped"])]
    assert sum("no luck" in line for line in said) == 1 and sum("an impossible pair" in line for line in said) == 1


@pytest.mark.parametrize("text", ["100 % :: wrong, or not", "a\r\nb ::error::c", "title=a,b::c", "標籤"])
def test_what_is_said_is_read_as_it_is(text: str) -> None:
    line = command("warning", text, {"title": text, "file": ""})
    assert decoded(line) == ("warning", {"title": text}, text)
    for each in lines(made(text=text), []):
        decoded(each)


def test_no_more_than_github_shows() -> None:
    found = [decoded(line) for line in lines(made(failing=30), [])]
    errors = [message for kind, _, message in found if kind == "error"]
    assert len(errors) == MOST and errors[-1] == "and 22 more: see the report"


class Balanced(HTMLParser):
    """Whether every element that is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_summary_has_the_answer_what_failed_and_the_environment() -> None:
    found = replace(made(), exit=3, environment={"torch": "2.6", "commit": "abc", "plugins": {"mine": "0123"}})
    said = summary.summary(found, ["regression"])
    for text in ("## s\n", "Some rows failed; the others are complete. Exit code 3.", "**Gates**", "- broken 0 failed: no luck",
                 "- left skipped: an impossible pair", "- regression: poor is worse than old in m", "- commit: abc",
                 "- plugins: mine 0123", "| poor | 0.6"):  # fmt: skip
        assert text in said, text
    assert said.index("**Answer**") < said.index("**Gates**") < said.index("| poor |") < said.index("<details>")
    page = Balanced()
    page.feed(said)
    assert not page.open and page.seen == {"details", "summary"}


def test_several_problems_have_a_matrix_and_folded_tables() -> None:
    said = summary.summary(made(problems=3, failing=0))
    assert "| loss | data 0 | data 1 | data 2 |" in said
    assert [said.count(f"<details><summary>data {number}</summary>") for number in range(3)] == [1, 1, 1]


def test_hostile_names_are_no_markup() -> None:
    rows = [row("old", VALUES, "<img src=x> | `a` & b"), row("new", VALUES, "other"), row("old", VALUES, "other")]
    said = summary.summary(analyse(run([*rows, lost("new", Status.FAILED, "</details><b>", "other 2")])))
    page = Balanced()
    page.feed(re.sub(r"\\<", "", said))
    assert page.seen == {"details", "summary"}


def test_a_large_suite_stays_below_the_limit_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    found = made(problems=40, failing=0)
    whole = summary.summary(found)
    monkeypatch.setattr(summary, "MOST", len(whole.encode()) // 2)
    cut = summary.summary(found)
    assert len(cut.encode()) <= len(whole.encode()) // 2 + 200
    assert re.search(r"\d+ tables would make this page too long", cut) and "### m" in cut
