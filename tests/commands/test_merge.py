"""Merging: folders of several machines give the report of one; what is there stays; what is damaged is one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.commands.merge import merged, shard_lines
from harness.errors import BenchError
from harness.results import Shard, manifests
from harness.results.manifests import Manifest
from harness.results.store import Store
from tests.conftest import Bench
from tests.helpers.stored import records, stable

RECORD: dict[str, Any] = {
    "cell": "a", "question": "b", "environment": "c", "run": "d", "block": 0, "status": "ok", "seeds": [0],
    "digests": {}, "metrics": {"m": [0.5]}, "seconds": 1.0, "peak_memory": 1,
}  # fmt: skip


def folder(at: Path, *found: dict[str, Any] | str, run: str = "r", units: dict[str, bytes] | None = None) -> Path:
    """A results folder with lines of one file of records, and files of results per example."""
    for name in ("records", "units"):
        (at / name).mkdir(parents=True, exist_ok=True)
    lines = [each if isinstance(each, str) else json.dumps(RECORD | each) for each in found]
    (at / "records" / f"{run}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    for name, content in (units or {}).items():
        (at / "units" / name).write_bytes(content)
    return at


def contents(of: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(file.relative_to(of)): file.read_bytes() for file in sorted(of.rglob("*")) if file.is_file()}


def test_what_is_new_is_copied_once(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", {"cell": "a"}, {"cell": "b"}, run="first", units={"a.npz": b"1"})
    two = folder(tmp_path / "two", {"cell": "c"}, run="second", units={"c.npz": b"2"})
    into = tmp_path / "into"
    said = [str(merged(str(source), into)) for source in (one, two)]
    assert said[0] == f"{one}: 2 records, 1 file of results per example, 0 runs"
    assert [record["cell"] for record in Store(into, "").all()] == ["a", "b", "c"]
    before = contents(into)
    assert before == contents(one) | contents(two)
    assert [str(merged(str(source), into)) for source in (one, two, into)] == [
        f"{source}: nothing new" for source in (one, two, into)
    ]
    assert contents(into) == before


def test_a_file_that_has_grown_is_completed_and_its_incomplete_end_left_out(tmp_path: Path) -> None:
    one, into = folder(tmp_path / "one", {"cell": "a"}), tmp_path / "into"
    with (one / "records" / "r.jsonl").open("a") as file:
        file.write('{"cell": "b", "quest')
    assert merged(str(one), into).records == 1
    folder(one, {"cell": "a"}, {"cell": "b"}, {"cell": "c"})
    found = merged(str(one), into)
    assert (found.records, len(found.damaged)) == (2, 0)
    assert contents(into)["records/r.jsonl"] == contents(one)["records/r.jsonl"]


def test_lines_that_cannot_be_read_are_one_remark_and_left_out(tmp_path: Path) -> None:
    newer = json.dumps(RECORD | {"schema": 99})
    one = folder(tmp_path / "one", {"cell": "a"}, "nothing", newer, '{"cell": 5}', {"cell": "b"})
    into = tmp_path / "into"
    found = merged(str(one), into)
    (damage,) = found.damaged
    assert (damage.file, damage.lines, damage.first) == (one / "records" / "r.jsonl", 2, 2)
    lines = (into / "records" / "r.jsonl").read_text().splitlines()
    assert [json.loads(line)["cell"] for line in lines] == ["a", "a", "b"] and lines[1] == newer
    assert merged(str(one), into).records == 0


def test_what_is_no_results_folder_is_told_with_the_one_inside(tmp_path: Path) -> None:
    folder(tmp_path / "results", {"cell": "a"})
    with pytest.raises(BenchError, match=f"no results folder and no run, did you mean {tmp_path / 'results'}?"):
        merged(str(tmp_path), tmp_path / "into")
    with pytest.raises(BenchError, match="no run 'nowhere'"):
        merged("nowhere", tmp_path / "into")


@pytest.mark.parametrize("what", ["record", "units", "result"])
def test_two_runs_with_one_id_are_refused_before_anything_is_copied(what: str, tmp_path: Path) -> None:
    one = folder(tmp_path / "one", {"cell": "a"}, units={"a.npz": b"1"})
    two = folder(tmp_path / "two", {"cell": "a", "seconds": 2.0 if what == "record" else 1.0}, {"cell": "new"},
                 units={"a.npz": b"2" if what == "units" else b"1", "b.npz": b"3"})  # fmt: skip
    for source in (one, two):
        (source / "runs" / "r").mkdir(parents=True)
        (source / "runs" / "r" / "result.json").write_text(str(source) if what == "result" else "{}")
    into = tmp_path / "into"
    merged(str(one), into)
    before = contents(into)
    with pytest.raises(BenchError, match="two runs have one id; nothing of this folder is merged"):
        merged(str(two), into)
    assert contents(into) == before


def test_a_run_in_progress_is_completed_later(tmp_path: Path) -> None:
    one, into = folder(tmp_path / "one", {"cell": "a"}), tmp_path / "into"
    (one / "runs" / "r" / "logs").mkdir(parents=True)
    (one / "runs" / "r" / "logs" / "x.log").write_text("begun")
    assert merged(str(one), into).runs == 0
    (one / "runs" / "r" / "logs" / "x.log").write_text("begun and ended")
    (one / "runs" / "r" / "result.json").write_text("{}")
    assert merged(str(one), into).runs == 1
    assert contents(into) == contents(one)


def test_which_shards_are_complete_is_said(tmp_path: Path) -> None:
    def keep(run: str, number: int, plan: str = "p", failed: tuple[str, ...] = ()) -> None:
        (tmp_path / "runs" / run).mkdir(parents=True)
        manifests.keep(tmp_path, Manifest(run, "s", Shard(number, 4, 2, 7, plan), failed))

    keep("1", 1, plan="of other cells")
    keep("2", 2, failed=("x",))
    keep("3", 4)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "shard.json").write_text('{"run": []}')
    assert [*shard_lines(tmp_path)] == [
        "s: 1 of 4 shards complete; shard 2: 1 of 2 cells failed; no result of shards 1, 3"
    ]
    keep("4", 2)
    keep("5", 1)
    assert [*shard_lines(tmp_path)] == ["s: 3 of 4 shards complete; no result of shard 3"]


@pytest.mark.verify
def test_two_machines_with_folders_of_their_own_give_the_report_of_one(bench: Bench) -> None:
    """Real trainings, with results per example; the data are not loaded again, since all is stored."""
    suite = bench.write(
        "s.yaml",
        "protocol: accuracy\nvary: {dataset: iris, model: linear, loss: [cross_entropy, hinge, focal, brier]}\nseeds: 4\n"
        "settings: {epochs: 2}\nmetrics: [accuracy, nll]\nbaseline: cross_entropy\n",
    )
    words = [suite, "--device", "cpu"]
    for number in (1, 2):
        ended = bench(*words, "--shard", f"{number}/2", "--results", f"machine{number}", "-q")
        assert ended.code == 0, ended.err
    damaged = next((bench.folder / "machine2" / "records").glob("*.jsonl"))
    with damaged.open("a") as file:
        file.write('{"cell": "torn", \n')
    merge = bench("merge", "machine1", "machine2")
    assert merge.code == 0 and len(merge.lines) == 1, merge.err
    assert f"{damaged.relative_to(bench.folder)}: 1 line cannot be read" in merge.err
    assert merge.out.splitlines()[-1] == "s: 2 of 2 shards complete"
    before = contents(bench.folder / "results")
    again = bench("merge", "machine1", "machine2")
    assert again.out.splitlines()[:2] == ["machine1: nothing new", "machine2: nothing new"]
    assert contents(bench.folder / "results") == before
    together, alone = (bench(*words, "--results", name, "--json", "-") for name in ("results", "alone"))
    assert together.code == alone.code == 0 and together.err.count("cannot be read") == 0
    assert len(records(bench.folder / "results")) == 4 and stable(together.json) == stable(alone.json)
    assert not (bench.folder / "results" / ".cache").exists(), "nothing was loaded"
    packed = bench("pack", "last", "run.zip")
    assert packed.code == 0, packed.err
    assert bench("merge", "run.zip", "--results", "from-pack").code == 0
    assert "0 seeds to measure" in bench(*words, "--results", "from-pack", "--dry-run").out
    assert bench("merge", "run.zip").out.splitlines()[0] == "run.zip: nothing new"
    (run,) = (bench.folder / "alone" / "runs").iterdir()
    assert bench("merge", run, "--results", "from-run").out.startswith(f"{run}: 4 records, 4 files")
    copied = contents(bench.folder / "from-run" / "runs")
    assert copied == contents(bench.folder / "alone" / "runs")
    assert bench("report", "last", "--results", "from-pack").code == 0
