"""`bench clean`: what goes and what stays by age, number and size; measurements go only if nothing that stays needs them."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.cli.option_types import amount, days
from harness.commands.clean import Cleaning, CleanRules, cleaning, remove
from harness.errors import BenchError
from harness.results.runs import environment_digest
from harness.results.store import Store
from tests.conftest import Bench

NOW, DAY = 1_800_000_000.0, 86_400.0
ENVIRONMENT = {"python": "3.11"}


def add_run(results: Path, name: str, ago: float, cells: Sequence[str], measured: Sequence[str] = ()) -> None:
    """A run that ended so many days ago: the cells of its result, and those that it measured itself."""
    store = Store(results, name)
    for cell in measured:
        record: Any = {
            "cell": cell, "question": cell, "environment": environment_digest(ENVIRONMENT), "run": name, "block": 0,
            "status": "ok", "seeds": [0], "digests": {}, "metrics": {"m": [0.5]}, "seconds": 1.0, "peak_memory": 1,
            "units": f"{cell}-{name}.npz",
        }  # fmt: skip
        store.append(record)
        (results / "units").mkdir(exist_ok=True)
        (results / "units" / f"{cell}-{name}.npz").write_bytes(b"x" * 1000)
    store.close()
    rows = [{"id": cell, "vary": {"loss": cell}, "seeds": [0], "metrics": {}} for cell in cells]
    result = {"schema": 2, "suite": "s", "question": "?", "run": name, "protocol": "accuracy", "cells": rows}
    folder = results / "runs" / name
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(result | {"environment": ENVIRONMENT}))
    age(results, name, ago)


def age(results: Path, name: str, ago: float) -> None:
    """Set the time of the last change of everything of a run."""
    folder, file = results / "runs" / name, results / "records" / f"{name}.jsonl"
    for path in filter(Path.exists, (*folder.rglob("*"), folder, file)):
        os.utime(path, (NOW - ago * DAY,) * 2)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three runs: the first measured a and b, the second c, the third reused a."""
    add_run(tmp_path, "20260101-000000-s", 90, ["a", "b"], measured=["a", "b"])
    add_run(tmp_path, "20260201-000000-s", 60, ["c"], measured=["c"])
    add_run(tmp_path, "20260301-000000-s", 1, ["a"])
    return tmp_path


def names(found: Cleaning) -> list[str]:
    return [each.name for each in found.removals]


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        (CleanRules(days=30), ["01", "02"]),
        (CleanRules(days=75), ["01"]),
        (CleanRules(days=0.5), ["01", "02", "03"]),
        (CleanRules(keep=1), ["01", "02"]),
        (CleanRules(keep=5), []),
        (CleanRules(days=30, keep=2), ["01"]),
        (CleanRules(size=1), ["01", "02", "03"]),
        (CleanRules(size=1, keep=1), ["01", "02"]),
        (CleanRules(size=1 << 30), []),
    ],
    ids=str,
)
def test_runs_go_by_age_number_and_size(rules: CleanRules, gone: list[str], results: Path) -> None:
    assert names(cleaning(results, rules, NOW)) == [f"run 2026{month}01-000000-s" for month in gone]


def test_the_oldest_go_until_the_rest_is_small_enough(results: Path) -> None:
    whole = sum(file.stat().st_size for file in results.rglob("*") if file.is_file())
    assert names(cleaning(results, CleanRules(size=whole - 1), NOW)) == ["run 20260101-000000-s"]


def test_records_that_a_run_needs_stay_and_are_named(results: Path) -> None:
    found = cleaning(results, CleanRules(days=30, records=True), NOW)
    assert names(found)[2:] == ["records 20260201-000000-s"]
    (remark,) = found.remarks
    assert "records/20260101-000000-s.jsonl stays" in remark and "20260301-000000-s" in remark
    remove(found.removals)
    left = {str(file.relative_to(results)) for file in results.rglob("*") if file.is_file()}
    assert left == {
        "records/20260101-000000-s.jsonl", "runs/20260301-000000-s/result.json",
        "units/a-20260101-000000-s.npz", "units/b-20260101-000000-s.npz",
    }  # fmt: skip


def test_records_measured_in_another_environment_are_not_needed(results: Path) -> None:
    file = results / "runs" / "20260301-000000-s" / "result.json"
    file.write_text(file.read_text().replace("3.11", "3.12"))
    found = cleaning(results, CleanRules(days=30, records=True), NOW)
    assert len(names(found)) == 4 and found.remarks == []


def test_records_stay_where_a_run_that_stays_cannot_be_read(results: Path) -> None:
    (results / "runs" / "20260301-000000-s" / "result.json").write_text("nothing")
    found = cleaning(results, CleanRules(days=30, records=True), NOW)
    assert len(names(found)) == 2 and "cannot be read" in found.remarks[0]


def test_a_run_in_progress_stays_and_so_do_caches_and_records(results: Path) -> None:
    (results / ".cache").mkdir()
    (results / ".cache" / "x.pt").write_bytes(b"x")
    os.utime(results / ".cache" / "x.pt", (0, 0))
    rules = CleanRules(days=30, caches=True, records=True)
    assert "cache x.pt" in names(cleaning(results, rules, NOW))
    store, record = Store(results, "20260401-000000-s"), next(Store(results, "").all())
    store.append(record | {"cell": "z"})
    age(results, "20260401-000000-s", 50)
    found = cleaning(results, rules, NOW)
    assert names(found) == ["run 20260101-000000-s", "run 20260201-000000-s"]
    assert found.remarks == ["caches and records stay: 20260401-000000-s may be in progress"]
    store.close()
    assert "records 20260401-000000-s" in names(cleaning(results, rules, NOW))


def test_without_a_rule_nothing_is_removed(results: Path) -> None:
    with pytest.raises(BenchError, match="--older-than"):
        cleaning(results, CleanRules(records=True), NOW)


@pytest.mark.verify
def test_the_command_asks_before_it_removes_what_was_measured(bench: Bench) -> None:
    suite = bench.suite()
    assert bench(suite, "-q").code == bench(suite, "-q").code == 0
    folder = bench.folder / "results"
    (folder / ".cache" / "old.pt").write_bytes(b"x")
    listed = bench("clean", "--keep", "1", "--caches")
    assert listed.code == 0 and "removed cache old.pt" in listed.out and "add --yes" in listed.out
    assert len([*(folder / "runs").iterdir()]) == 2 and not (folder / ".cache" / "old.pt").exists()
    dry = bench("clean", "--keep", "1", "--records", "--yes", "--dry-run")
    assert "would remove run" in dry.out and "stays: 1 run that stay need it" in dry.out
    assert len([*(folder / "runs").iterdir()]) == 2
    done = bench("clean", "--keep", "1", "--records", "--yes")
    assert done.code == 0 and len([*(folder / "runs").iterdir()]) == 1
    assert "2 reused" in bench(suite, "--dry-run").out  # the records of the first run serve the second
    assert bench("clean").code == 2 and bench("clean", "--older-than", "soon").code == 2


def test_a_file_does_not_say_yes(bench: Bench) -> None:
    bench.write("pyproject.toml", "[tool.bench]\nyes = true\n")
    ended = bench("clean", "--keep", "1")
    assert ended.code == 2 and "[tool.bench] yes: only the command line may say so" in ended.err


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        *((days, "12h", 0.5), (days, "30d", 30.0), (days, "0.5w", 3.5), (days, "0d", 0.0)),
        *((amount, "10K", 10_240), (amount, "1.5GiB", 3 << 29), (amount, "2T", 2 << 40)),
    ],
)
def test_ages_and_sizes_have_units(read: Callable[[str], float], text: str, value: float) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [*((days, text) for text in ("30", "-1d", "nand", "d", "")), *((amount, x) for x in ("2", "G", "-1G"))],
)
def test_other_ages_and_sizes_are_refused(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as"):
        read(text)
