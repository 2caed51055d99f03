"""Every fault of the table while a cell measures: the right row, and nothing else suffers or is left behind."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import pytest

from tests.conftest import Bench
from tests.faults.plugin import CHAPTERS
from tests.faults.running import Ran, check_innocent, run
from tests.faults.table import FAULTS, Fault, right

pytestmark = pytest.mark.verify
HANGING, ALONE = "hanging", "alone"
"""Chapters of all faults that end with the time limit, so that no other waits for a short one on a busy machine, and of
those that end others."""
JOBS = {HANGING: ("--timeout", "3", "-j", "4"), ALONE: ("--timeout", "60", "-j", "1")}


def chapter(fault: Fault) -> str:
    return ALONE if fault.alone else HANGING if fault.status == "timeout" else fault.act.__module__.rpartition(".")[2]


@pytest.fixture(scope="module")
def ran(shared: Callable[[str], Bench]) -> Callable[[str], Ran]:
    """The run of a chapter: all its faults in one suite."""

    @functools.cache
    def once(of: str) -> Ran:
        hows = ", ".join(name for name, fault in FAULTS.items() if chapter(fault) == of)
        limits = JOBS.get(of, ("--timeout", "60", "-j", "2"))
        words = ("--plugin", "tests.faults.plugin", "--memory", "1000", *limits)
        return run(shared(of), [f"{{faulty: {{how: [{hows}]}}}}"], *words, within=150)

    return once


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_row_with_its_status_and_reason(name: str, ran: Callable[[str], Ran]) -> None:
    fault = FAULTS[name]
    row = ran(chapter(fault)).rows[name]
    assert row["status"] == fault.status, row["reason"]
    assert re.match(fault.reason, row["reason"] or ""), row["reason"]
    assert (row["reason"] or "").isprintable()
    if fault.status != "ok":
        assert row["seeds"] in ([], [0, 1, 2, 3]), "a block before the fault counts"
    elif not fault.answers:
        assert row["metrics"]["score"]["values"] == right(range(8))


@pytest.mark.parametrize("of", [*JOBS, *(module.__name__.rpartition(".")[2] for module in CHAPTERS)])
def test_all_others_complete_and_nothing_is_left_behind(of: str, ran: Callable[[str], Ran]) -> None:
    found = ran(of)
    assert found.ended.code == 3 and found.ended.json["exit"] == 3
    assert "Traceback" not in found.ended.err and len(found.ended.err) < 3000
    check_innocent(found)
    assert found.processes == [] and found.files == []


def test_the_table_has_every_fault_that_was_promised() -> None:
    assert len(FAULTS) >= 80
    assert {fault.status for fault in FAULTS.values()} == {"ok", "failed", "crashed", "timeout", "oom", "skipped"}
