"""`bench doctor --store`: every damaged place is told and moved aside, everything else stays as it is, byte for byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from harness.commands.examine_store import StoreReport, examine, report_lines
from harness.errors import BenchError
from harness.results.store import Store
from tests.conftest import Bench

WHOLE: dict[str, Any] = {
    "schema": 1, "cell": "a", "question": "b", "environment": "c", "run": "d", "block": 0, "status": "ok", "seeds": [0],
    "digests": {}, "metrics": {"m": [0.5]}, "seconds": 1.0, "peak_memory": 1,
}  # fmt: skip
GOOD = [json.dumps(WHOLE | {"block": k, "units": "whole.npz" if k else "gone.npz"}) for k in range(3)]
NEWER = json.dumps(WHOLE | {"schema": 99})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with one of everything that can be wrong."""
    for name in ("records", "units", ".cache", "runs/20260101-000000-a", "runs/20260102-000000-b"):
        (tmp_path / name).mkdir(parents=True)
    lines = [GOOD[0], "nothing", GOOD[1], NEWER, '{"cell": 5}', GOOD[2]]
    (tmp_path / "records" / "x.jsonl").write_text("".join(f"{line}\n" for line in lines) + GOOD[0][:30])
    (tmp_path / "records" / "loop.jsonl").symlink_to("loop.jsonl")
    (tmp_path / "records" / "folder.jsonl").mkdir()
    for name in ("whole", "orphan", "cut"):
        numpy.savez(tmp_path / "units" / f"{name}.npz", seeds=numpy.arange(50))
    content = (tmp_path / "units" / "cut.npz").read_bytes()
    (tmp_path / "units" / "cut.npz").write_bytes(content[: len(content) // 2])
    for name, said in (("good", b"artifact"), ("altered", b"other")):
        (tmp_path / ".cache" / f"{name}.pt").write_bytes(b"artifact")
        (tmp_path / ".cache" / f"{name}.json").write_text(json.dumps({"digest": hashlib.sha256(said).hexdigest()}))
    (tmp_path / ".cache" / "left.123.part").write_bytes(b"half")
    (tmp_path / "runs" / "20260101-000000-a" / "result.json").write_text('{"schema": 2, "sui')
    return tmp_path


def places(report: StoreReport) -> list[tuple[str, int]]:
    return sorted((str(each.file.relative_to(report.results)), each.line) for each in report.damaged)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_every_damaged_place_is_told_and_moved_and_nothing_else(results: Path) -> None:
    before = contents(results)
    report = examine(results)
    assert places(report) == [
        (".cache/altered.pt", 0), ("records/folder.jsonl", 0), ("records/loop.jsonl", 0), ("records/x.jsonl", 2),
        ("records/x.jsonl", 5), ("runs/20260101-000000-a/result.json", 0), ("units/cut.npz", 0),
    ]  # fmt: skip
    assert [(each.file.name, each.line) for each in report.newer] == [("x.jsonl", 4)]
    assert report.missing == ["gone.npz"] and report.interrupted == 4  # three have records alone
    assert sorted(file.name for file in report.orphans) == ["left.123.part", "orphan.npz"]
    assert report.moved is not None
    after, moved = contents(results), contents(report.moved)
    kept = f"{GOOD[0]}\n{GOOD[1]}\n{NEWER}\n{GOOD[2]}\n{GOOD[0][:30]}"
    assert after["records/x.jsonl"].decode() == kept
    assert moved["records/x.jsonl"].decode() == 'nothing\n{"cell": 5}\n'
    assert (report.moved / "records" / "folder.jsonl").is_dir() and (
        report.moved / "records" / "loop.jsonl"
    ).is_symlink()
    for name in (".cache/altered.pt", "units/cut.npz", "runs/20260101-000000-a/result.json"):
        assert moved[name] == before[name] and name not in after
    same = before.keys() - moved.keys()
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_a_mended_store_is_not_damaged(results: Path) -> None:
    examine(results)
    again = examine(results)
    assert again.damaged == [] and again.moved is None and len(again.newer) == 1
    assert [*report_lines(again)][-1] == "nothing is damaged"


def test_the_file_of_a_run_in_progress_is_left_as_it_is(results: Path) -> None:
    file = results / "records" / "mine.jsonl"
    file.write_text("nothing\n")
    store = Store(results, "mine")
    record: Any = WHOLE
    store.append(record)
    report = examine(results)
    assert ("records/mine.jsonl", 1) in places(report) and report.kept == [file]
    assert file.read_text().startswith("nothing\n")
    store.close()
    assert examine(results).kept == [] and file.read_text() == json.dumps(WHOLE) + "\n"


def test_many_damaged_lines_are_counted(results: Path) -> None:
    (results / "records" / "many.jsonl").write_text("nothing\n" * 1000)
    said = [*report_lines(examine(results))]
    assert len(said) < 60 and any(line.strip().startswith("and 9") for line in said)


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="nothing is stored"):
        examine(tmp_path)


@pytest.mark.verify
def test_the_command_on_a_real_store(bench: Bench) -> None:
    suite = bench.suite()
    assert bench(suite, "-q").code == 0
    assert (ended := bench("doctor", "--store")).code == 0 and "nothing is damaged" in ended.out and not ended.err
    (file,) = (bench.folder / "results" / "records").glob("*.jsonl")
    whole = file.read_text().splitlines()
    file.write_text("\n".join(["[" * 100_000, *whole[1:]]) + "\n")
    ended = bench("doctor", "--store")
    assert ended.code == 1 and f"records/{file.name}:1:" in ended.out and "results/damaged/" in ended.out
    assert bench("doctor", "--store").code == 0
    again = bench(suite, "-q")
    assert again.code == 0 and again.err == ""  # measured again, and nothing is said of damage
    assert len(file.read_text().splitlines()) == len(whole) - 1
