"""Records that cannot be read: one line each file, and what they held is measured again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.results.store import Damage, Store
from tests.conftest import Bench

WHOLE: dict[str, Any] = {
    "cell": "a", "question": "b", "environment": "c", "run": "d", "block": 0, "status": "ok", "seeds": [0],
    "digests": {}, "metrics": {"m": [0.5]}, "seconds": 1.0, "peak_memory": 1,
}  # fmt: skip


def read(folder: Path, *lines: str) -> tuple[list[Any], list[Damage]]:
    (folder / "records").mkdir(exist_ok=True)
    (folder / "records" / "x.jsonl").write_text("".join(f"{line}\n" for line in lines))
    damaged: list[Damage] = []
    return list(Store(folder, "").all(damaged)), damaged


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"cell": []}', "Expected `str`"),
        ('{"cell": 5}', "Expected `str`"),
        ('{"cell": "a"}', "it has no block, environment"),
        ("[" * 200_000, ""),
        ("[1]", "Expected `object`"),
        ("nothing", "malformed"),
        (json.dumps(WHOLE | {"seeds": "0"}), "Expected `array`"),
        (json.dumps(WHOLE | {"metrics": {"m": ["x"]}}), "Invalid enum value"),
        (json.dumps(WHOLE | {"schema": 99}), "it has schema 99, this version reads 1"),
        (json.dumps({key: value for key, value in WHOLE.items() if key != "metrics"}), "it has no metrics"),
        (json.dumps(WHOLE | {"metrics": {"m": []}}), "m has 0 numbers for 1 seeds"),
        (json.dumps(WHOLE | {"bootstrap": {"m": {"low": [0.0]}}}), "m has 0 numbers for 1 seeds"),
        (json.dumps(WHOLE | {"status": "skipped", "why": {"kind": "no such"}}), "why: Invalid enum value"),
        (json.dumps(WHOLE | {"issues": [5]}), "issues: Expected `object`"),
        (json.dumps(WHOLE | {"block": "tune"}), "it has no tuned"),
        (json.dumps(WHOLE | {"units": "../../../etc/passwd"}), "is no name of a file"),
        (json.dumps(WHOLE | {"units": "/etc/passwd"}), "is no name of a file"),
    ],
    ids=range(17),
)
def test_a_line_that_is_no_record_is_told_and_the_others_are_read(line: str, why: str, tmp_path: Path) -> None:
    whole = json.dumps(WHOLE)
    found, damaged = read(tmp_path, whole, line, whole, line)
    assert [record["cell"] for record in found] == ["a", "a"]
    (told,) = damaged
    assert (told.file.name, told.lines, told.first) == ("x.jsonl", 2, 2) and why in told.why


def test_the_end_that_a_crash_leaves_is_no_damage(tmp_path: Path) -> None:
    found, damaged = read(tmp_path, json.dumps(WHOLE))
    with (tmp_path / "records" / "x.jsonl").open("a") as file:
        file.write(json.dumps(WHOLE)[:20])
    damaged = []
    assert len(list(Store(tmp_path, "").all(damaged))) == len(found) == 1 and damaged == []


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    os.mkfifo(records / "pipe.jsonl")
    (records / "loop.jsonl").symlink_to("loop.jsonl")
    (records / "folder.jsonl").mkdir()
    (records / "gone.jsonl").symlink_to("nowhere")
    damaged: list[Damage] = []
    assert list(Store(tmp_path, "").all(damaged)) == []
    assert [(each.file.stem, each.first) for each in damaged] == [("folder", 0), ("gone", 0), ("loop", 0), ("pipe", 0)]


@pytest.mark.verify
def test_what_was_damaged_is_measured_again_and_said_in_one_line(bench: Bench) -> None:
    suite = bench.suite()
    assert bench(suite, "-q").code == 0
    (file,) = (bench.folder / "results" / "records").glob("*.jsonl")
    lines = file.read_text().splitlines()
    file.write_text("\n".join(['{"cell": []}', *lines[1:]]) + "\n")
    ended = bench(suite, "-q")
    assert ended.code == 0 and len(ended.lines) == 1
    assert "1 line cannot be read, the first is line 1" in ended.err
    assert bench(suite, "--dry-run").out.count("to do") == 1  # in the summary


@pytest.mark.verify
def test_a_cut_file_of_results_per_example_is_measured_again(bench: Bench) -> None:
    bench.write(
        "s.yaml",
        "protocol: accuracy\nvary: {dataset: iris, loss: [cross_entropy, hinge]}\nseeds: 2\n"
        "settings: {epochs: 1}\nmetrics: [accuracy]\nbaseline: cross_entropy\n",
    )
    before = bench("s.yaml", "--json", "-", "--device", "cpu").json
    for file in (bench.folder / "results" / "units").glob("*.npz"):
        file.write_bytes(file.read_bytes()[:100])
    assert "2 cells to do" in bench("s.yaml", "--dry-run", "--device", "cpu").out
    after = bench("s.yaml", "--json", "-", "--device", "cpu")
    assert after.code == 0
    values = [[cell["metrics"]["accuracy"]["values"] for cell in run["cells"]] for run in (before, after.json)]
    assert values[0] == values[1]


def test_a_results_folder_that_cannot_be_made_is_one_line(bench: Bench) -> None:
    (bench.folder / "r").symlink_to("/nonexistent/folder")
    ended = bench(bench.suite(), "--results", "r")
    assert ended.code == 2 and len(ended.lines) == 1 and "r" in ended.err


def test_a_record_is_kept_where_a_plugin_deleted_the_file_before(tmp_path: Path) -> None:
    store = Store(tmp_path, "x")
    store.append(WHOLE)
    (tmp_path / "records" / "x.jsonl").unlink()
    (tmp_path / "records").rmdir()
    store.append(WHOLE | {"block": 1})
    store.close()
    assert [record["block"] for record in Store(tmp_path, "").all()] == [1]
