"""The HTML page from the command line: printed, written beside the run, shown in the user's browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bench
from tests.report.pages import read

pytestmark = pytest.mark.verify


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("page")
    bench.suite()
    assert bench("s.yaml").code == bench("s.yaml", "--seeds", "3").code == 0
    return bench


def test_a_page_has_the_figures_and_the_command_and_fits_any_stream(folder: Bench) -> None:
    ended = folder("report", "last", "--format", "html")
    found = read(ended.out)
    assert ended.code == 0 and ended.err == ""
    command = found.all("pre")[0].text
    assert command.startswith("bench ") and command.endswith("s.yaml --set seeds=3")
    assert found.all("img")[0].attributes["src"].startswith("data:image/svg+xml;base64,")
    assert "The number itself." in found.text  # as the plugin says
    plain = folder("report", "last", "--format", "html", env={"PYTHONIOENCODING": "ascii"}).out
    assert plain.isascii() and read(plain).text == found.text


def test_open_writes_the_page_beside_the_run_and_shows_it(folder: Bench) -> None:
    shown = folder.folder / "shown"
    program = folder.folder / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {shown}\n')
    program.chmod(0o755)
    ended = folder("report", "last", "last~1", "--open", env={"BROWSER": str(program)})
    (line,) = ended.out.splitlines()
    assert ended.code == 0 and line.endswith("/side-by-side.html") and shown.read_text().strip() == Path(line).as_uri()
    assert len(read(Path(line).read_text("utf-8")).all("article")) == 2


def test_a_run_may_end_with_its_page_and_needs_no_browser(folder: Bench) -> None:
    none = {"BROWSER": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    ended = folder("s.yaml", "--open", env=none)
    (page,) = [Path(line.removeprefix("page ")) for line in ended.lines if line.startswith("page ")]
    assert ended.code == 0 and page.name == "report.html" and (page.parent / "result.json").is_file()
    assert "Answer" in ended.out


@pytest.mark.verify
def test_figures_of_several_runs_stay_in_their_folder(bench: Bench) -> None:
    found = json.loads((ROOT / "results" / "reference" / "quickstart.json").read_text())
    files = [bench.write(f"{name}.json", json.dumps(found | {"run": "../../out"})) for name in "ab"]
    ended = bench("report", *files, "--figures", "drawn", timeout=300)
    assert ended.code == 0, ended.err
    assert {path.name for path in bench.folder.iterdir()} == {"a.json", "b.json", "drawn"}
    assert sorted(path.name for path in (bench.folder / "drawn").iterdir()) == ["1", "2"]
    assert list((bench.folder / "drawn" / "2").glob("*.svg")) and not (bench.folder.parent / "out").exists()
