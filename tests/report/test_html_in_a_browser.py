"""The HTML page in a headless Chromium, from a file: sorting, filtering, hiding, definitions, colors, accessibility."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.html import Picture, Subject, page
from harness.results import Status

from .factory import LOSSES, lost, result, with_info
from .test_html import HOSTILE
from .test_published import data as published
from .test_published import entry

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.verify
VIEWS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>path {fill: red}</style><path d="M0 0h9v9"/></svg>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium is installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of one run with everything that a page may have, one of two runs, one of hostile names."""
    folder = tmp_path_factory.mktemp("pages")
    picture = Picture("front", "Speed and quality", "image/svg+xml", DRAWN)
    whole = with_info(lost(published(entry("hinge", 0.4321)), 2, Status.CRASHED, "signal 9"), 1, definition="Surprise.")
    one = Subject(replace(whole, environment={"torch": "2.13.0"}), "bench suite.yaml", (picture,), "No more figures.")
    names = replace(result(losses=["cross_entropy", *HOSTILE], count=2), suite=HOSTILE[0], question=HOSTILE[1])
    pages = {"one": page([one]), "two": page([one, Subject(result())]), "hostile": page([Subject(names)])}
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.fixture
def opened(browser: Browser, files: dict[str, Path]) -> Iterator[Any]:
    """Open a page; at the end nothing was asked of the network, and the console has said nothing."""
    heard: list[str] = []
    contexts = []

    def open_page(name: str, **view: Any) -> Page:
        contexts.append(browser.new_context(**view))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("dialog", lambda dialog: heard.append(dialog.message))
        tab.on("request", lambda asked: heard.extend([asked.url] * (not asked.url.startswith(("file:", "data:")))))
        tab.goto(files[name].as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert not heard


def names(tab: Page, table: int = 0) -> list[str]:
    """The heads of the rows of a table that are seen."""
    section = tab.locator(".problem").nth(table)
    return [each.split("\n")[0] for each in section.locator("tbody th:visible").all_inner_texts()]


def test_a_click_or_enter_on_a_head_sorts_by_its_numbers_and_then_the_other_way(opened: Any) -> None:
    tab = opened("two")
    section = tab.locator("article").nth(1).locator(".problem").first
    head = section.locator('th[data-column="metric-0"]')
    head.locator(".sort").click()
    keys = section.locator("tbody tr td:nth-child(2)").evaluate_all("all => all.map(each => +each.dataset.key)")
    assert keys == sorted(keys, reverse=True) and len(keys) == len(LOSSES)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator(".sort").focus()
    tab.keyboard.press("Enter")
    keys = section.locator("tbody tr td:nth-child(2)").evaluate_all("all => all.map(each => +each.dataset.key)")
    assert keys == sorted(keys) and head.get_attribute("aria-sort") == "ascending"
    section.locator("thead .name .sort").click()
    assert section.locator("tbody th").all_inner_texts() == sorted(LOSSES)
    assert head.get_attribute("aria-sort") == "none"


def test_rows_without_a_number_stay_last(opened: Any) -> None:
    tab = opened("one")
    sort = tab.locator('.problem >> nth=0 >> th[data-column="metric-1"] .sort')
    for _ in range(2):
        sort.click()
        assert {*names(tab)[-2:]} == {LOSSES[2], "hinge [1], published"}


def test_the_filter_keeps_the_rows_with_all_its_words_and_says_how_many(opened: Any) -> None:
    tab = opened("one")
    everything = names(tab)
    tab.get_by_label("Filter rows").fill("FOCAL noise")
    assert tab.locator("output").inner_text() == "1 rows"
    assert not tab.locator(".problem").first.is_visible() and names(tab, 1) == ["focal"]
    tab.get_by_label("Filter rows").fill("")
    assert names(tab) == everything


def test_a_column_is_hidden_in_every_table_and_shown_again(opened: Any) -> None:
    tab = opened("one")
    cells = tab.locator('.problem th[data-column="metric-1"]')
    tab.get_by_text("Columns", exact=True).click()
    tab.get_by_label("nll ↓").uncheck()
    assert not any(cells.nth(place).is_visible() for place in range(cells.count()))
    seen = [
        tab.locator(".problem").first.locator(f"tr >> nth={row} >> :is(th, td):visible").count() for row in (0, 1, 2)
    ]
    assert len(set(seen)) == 1
    tab.get_by_label("nll ↓").check()
    assert cells.first.is_visible()


def test_a_definition_opens_by_tap_and_closes_by_escape(opened: Any) -> None:
    tab = opened("one", has_touch=True)
    box = tab.locator("#r1-metric-1")
    assert not box.is_visible()
    tab.locator('th[data-column="metric-1"] .define').first.tap()
    assert box.is_visible() and "Surprise." in box.inner_text()
    tab.keyboard.press("Escape")
    assert not box.is_visible()


def test_a_link_of_the_answer_leads_to_its_row_and_the_row_back(opened: Any) -> None:
    tab = opened("one")
    tab.locator(".answer .groups a", has_text="hinge").first.click()
    assert tab.locator("tr:target th").inner_text() == "hinge"
    tab.locator("tr:target a").click()
    assert tab.locator(":target").inner_text() == "Answer"


def test_a_figure_is_drawn_with_its_own_style(opened: Any) -> None:
    image = opened("one").locator("figure img")
    assert image.evaluate("each => each.complete && each.naturalWidth > 0")


@pytest.mark.parametrize("name", ["one", "two", "hostile"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_screen(opened: Any, name: str, view: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tab = opened(name, **VIEWS[view])
    found = axe.Axe().run(tab).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_names_run_nothing_and_the_page_still_works(opened: Any) -> None:
    tab = opened("hostile")
    assert tab.locator("h1").inner_text() == HOSTILE[0]
    tab.get_by_label("Filter rows").fill("alert(1)</script>")
    assert names(tab) == [HOSTILE[0]]


def test_in_print_every_row_is_there_and_no_control(opened: Any) -> None:
    tab = opened("one")
    tab.emulate_media(media="print")
    assert not tab.locator(".tools").is_visible() and not tab.locator("nav").is_visible()
    assert len(names(tab)) == len(LOSSES) + 1
