"""`bench runs`: every run of a results folder, the newest first, on a screen of any width."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from harness.commands.runs import lines, stored_runs
from harness.errors import BenchError
from harness.report.glyphs import Glyphs
from harness.results import contents
from tests.conftest import Bench

NOW = datetime(2026, 1, 4, 0, 0, 5).timestamp()
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def add_run(results: Path, name: str, **result: Any) -> None:
    """A finished run."""
    folder = results / "runs" / name
    folder.mkdir(parents=True)
    said = {
        "schema": 2,
        "suite": "s",
        "question": "?",
        "run": name,
        "protocol": "accuracy",
        "cells": [{}, {}],
        **result,
    }
    (folder / "result.json").write_text(json.dumps(said))


def shown(results: Path, width: int = 80, encoding: str = "utf-8") -> list[str]:
    return list(lines(stored_runs(results), width, Glyphs(encoding), NOW))


def test_what_is_stored_is_listed_the_newest_first(tmp_path: Path) -> None:
    add_run(tmp_path, "20260101-000000-old", exit=3, environment={"commit": COMMIT, "dirty": False})
    add_run(tmp_path, "20260103-220000-mid", suite="mid", environment={"commit": COMMIT, "dirty": True})
    add_run(tmp_path, "20260104-000000-new", environment={"commit": None, "dirty": None})
    head, *rows, star = shown(tmp_path)
    assert head.split() == ["run", "when", "suite", "protocol", "cells", "exit", "commit"]
    assert [row.split() for row in rows] == [
        ["20260104-000000", "now", "s", "accuracy", "2", "0"],
        ["20260103-220000", "2", "h", "ago", "mid", "accuracy", "2", "0", "0123456*"],
        ["20260101-000000", "3", "d", "ago", "s", "accuracy", "2", "3", "0123456"],
    ]
    assert star.startswith("* ")


def test_runs_without_a_result_say_why(tmp_path: Path) -> None:
    add_run(tmp_path, "20260101-000000-damaged")
    (tmp_path / "runs" / "20260101-000000-damaged" / "result.json").write_text('{"suite": "s"')
    (tmp_path / "runs" / "20260102-000000-half").mkdir()
    _, half, damaged = shown(tmp_path)
    assert half.split()[0] == "20260102-000000" and "half" in half and half.endswith("stopped")
    assert damaged.endswith("damaged")


def test_two_runs_of_one_second_have_their_whole_names(tmp_path: Path) -> None:
    for name in ("20260101-000000-s", "20260101-000000-s-2", "20260102-000000-s"):
        add_run(tmp_path, name)
    assert [row.split()[0] for row in shown(tmp_path)[1:]] == [
        "20260102-000000", "20260101-000000-s-2", "20260101-000000-s",
    ]  # fmt: skip


@pytest.mark.parametrize("suite", ["losses-on-digits-with-a-tenth-of-the-labels-wrong", "標籤錯誤時的損失函數" * 4])
def test_a_long_name_is_cut_to_the_screen(tmp_path: Path, suite: str) -> None:
    add_run(tmp_path, "20260101-000000-s", suite=suite, environment={"commit": COMMIT, "dirty": True})
    found = shown(tmp_path)
    assert max(map(cell_len, found)) == 80 and "..." in found[1] and found[1].endswith("0123456*")
    assert suite in shown(tmp_path, 200)[1]
    assert all(line.isascii() for line in shown(tmp_path, 80, "ascii"))


def test_nothing_stored_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no run is stored under"):
        stored_runs(tmp_path / "nowhere")


@pytest.mark.verify
def test_a_run_is_listed_by_the_name_that_other_commands_take(bench: Bench) -> None:
    assert bench(bench.suite(), "-q").code == 0
    listed = bench("runs", env={"COLUMNS": "80"})
    assert listed.code == 0 and not listed.err
    (row,) = listed.out.splitlines()[1:]
    assert row.split()[1:] == ["now", "noops", "noop", "2", "0"]
    assert bench("report", row.split()[0], "--format", "json").json["suite"] == "noops"
    assert bench("runs", "--results", "nowhere").code == 2


def test_a_gate_that_measures_again_is_no_run_of_its_own(tmp_path: Path) -> None:
    for name in ("20261130-120000-s", "20261130-120000-s-confirm-1", "20261130-120001-lone-confirm-1"):
        (tmp_path / "runs" / name / "logs").mkdir(parents=True)
    assert [run.id for run in contents.stored_runs(tmp_path)] == ["20261130-120000-s", "20261130-120001-lone-confirm-1"]
