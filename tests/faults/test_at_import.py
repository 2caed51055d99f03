"""Plugins that fail at import or while a cell is set up: their own rows suffer, and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping

import pytest

from tests.conftest import Bench
from tests.faults.at_import import AT_IMPORT, AT_SETUP, HARMLESS, REFUSED, first
from tests.faults.running import Ran, check_innocent, run
from tests.faults.table import right

pytestmark = pytest.mark.verify
LIMITS = ("--timeout", "3", "--memory", "1000", "-j", "2")


def ran(bench: Bench, plugins: Mapping[str, str | bytes]) -> Ran:
    """A suite with a loss of every plugin, each named as its file."""
    for name, text in plugins.items():
        (bench.folder / f"{name}.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    files = ", ".join(["noop.py", *(f"{name}.py" for name in plugins)])
    return run(bench, plugins, *LIMITS, plugins=f"[{files}]", within=240)


@pytest.fixture(scope="module")
def imported(shared: Callable[[str], Bench]) -> Ran:
    return ran(shared("imported"), {name: broken.text for name, broken in AT_IMPORT.items()})


@pytest.fixture(scope="module")
def set_up(shared: Callable[[str], Bench]) -> Ran:
    odd = {name: first(name, lines) for name, lines in HARMLESS.items()}
    return ran(shared("set_up"), {**odd, **{name: broken.text for name, broken in AT_SETUP.items()}})


@pytest.fixture(scope="module")
def refused(shared: Callable[[str], Bench]) -> Ran:
    return ran(shared("refused"), {name: text for name, (text, _) in REFUSED.items()})


@pytest.mark.parametrize("name", AT_IMPORT)
def test_a_plugin_that_cannot_be_imported_is_told_with_the_reason(name: str, imported: Ran) -> None:
    row = imported.rows[name]
    assert row["status"] == AT_IMPORT[name].status and row["seeds"] == []
    assert row["reason"].isprintable()
    assert re.search(rf"\b{name}\.py(:\d+)?: {AT_IMPORT[name].reason}", row["reason"])


def test_what_can_be_imported_completes_and_nothing_is_left_behind(imported: Ran) -> None:
    assert "Traceback" not in imported.ended.err
    assert imported.processes == [] and imported.files == []
    assert imported.ended.code == 3
    check_innocent(imported)


@pytest.mark.parametrize("name", AT_SETUP)
def test_a_fault_while_a_cell_is_set_up_is_its_row(name: str, set_up: Ran) -> None:
    row, broken = set_up.rows[name], AT_SETUP[name]
    assert row["status"] == broken.status and row["seeds"] == [], row["reason"]
    assert re.match(broken.reason, row["reason"]), row["reason"]


@pytest.mark.parametrize("name", HARMLESS)
def test_a_plugin_that_does_something_odd_at_import_works(name: str, set_up: Ran) -> None:
    row = set_up.rows[name]
    assert row["status"] == "ok", row["reason"]
    assert row["metrics"]["score"]["values"] == right(range(8))


def test_all_others_complete_and_nothing_is_left_behind(set_up: Ran) -> None:
    assert set_up.ended.code == 3 and set_up.ended.json["exit"] == 3
    assert "Traceback" not in set_up.ended.err
    check_innocent(set_up)
    assert set_up.processes == [] and set_up.files == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plugin_is_one_line(name: str, refused: Ran) -> None:
    said = [line for line in refused.ended.lines if re.search(rf"\b{name}\.py:\d+: {REFUSED[name][1]}", line)]
    assert len(said) == 1, refused.ended.err


def test_what_is_no_plugin_ends_the_suite_before_it_is_measured(refused: Ran) -> None:
    assert (refused.ended.code, refused.ended.out) == (2, "")
    assert len(refused.ended.lines) == len(REFUSED)
    assert refused.processes == [] and refused.files == []


@pytest.mark.parametrize("kind", ["absent", "folder", "loop", "pipe"])
def test_what_is_no_file_is_one_line(kind: str, bench: Bench) -> None:
    file = bench.folder / "odd.py"
    if kind == "folder":
        file.mkdir()
    elif kind == "loop":
        file.symlink_to("odd.py")
    elif kind == "pipe":
        os.mkfifo(file)
    found = run(bench, [], plugins="[noop.py, odd.py]")
    assert (found.ended.code, found.ended.out) == (2, "")
    assert len(found.ended.lines) == 1 and "no plugin file odd.py" in found.ended.err
