"""Shards: how cells are dealt, and N shards as N processes on one folder, of which some are killed and run again."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.errors import Failure
from harness.results.store import Store
from harness.run.context import ExecutionConfig, RunContext
from harness.run.load import LoadedSuite, RunOptions, load
from harness.run.shards import deal as deal_bundles
from harness.run.shards import dealt, joined
from harness.run.task import Plan
from harness.worker.messages import Made
from harness.worker.supervisor import Server
from tests.conftest import Bench
from tests.helpers.stored import records, stable

HELPERS = Path(__file__).resolve().parents[1] / "helpers"
SHARDS = 4


def identities(count: int, start: int = 0) -> list[str]:
    """Digests as cells have them."""
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(start, start + count)]


def shards_of(sizes: list[int], of: int) -> list[list[int]]:
    """The places of every shard, for bundles of these sizes."""
    places = iter(range(sum(sizes)))
    return deal_bundles([list(itertools.islice(places, size)) for size in sizes], identities(sum(sizes)), of)


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(1, 12))
def test_every_cell_is_in_one_shard_and_none_is_empty_without_need(sizes: list[int], of: int) -> None:
    found = shards_of(sizes, of)
    assert len(found) == of and sorted(itertools.chain(*found)) == list(range(sum(sizes)))
    assert sum(bool(shard) for shard in found) == min(of, len(sizes))
    largest = max(map(len, found))
    assert largest <= max([*sizes, 0]) + sum(sizes) // of, "at most a bundle more than an equal share"


@given(st.integers(0, 200), st.integers(1, 12))
def test_single_cells_are_dealt_equally(count: int, of: int) -> None:
    sizes = [len(shard) for shard in shards_of([1] * count, of)]
    assert max(sizes) - min(sizes) <= 1


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.integers(1, 8), st.randoms(use_true_random=False))
def test_the_place_in_the_suite_makes_no_difference(sizes: list[int], of: int, order: random.Random) -> None:
    ids = identities(sum(sizes))
    places = [*range(len(ids))]
    order.shuffle(places)  # the cell with identity k stands at places[k]
    at = iter(range(len(ids)))
    bundled = [list(itertools.islice(at, size)) for size in sizes]
    moved = [sorted(places[number] for number in bundle) for bundle in bundled]
    order.shuffle(moved)
    there = dict(zip(places, ids, strict=True))
    first = [{ids[place] for place in shard} for shard in deal_bundles(bundled, ids, of)]
    second = [
        {there[place] for place in shard} for shard in deal_bundles(moved, [there[p] for p in range(len(ids))], of)
    ]
    assert first == second


def test_most_cells_keep_their_shard_when_others_join() -> None:
    ids = identities(1000)
    shards = [{id: number for number, shard in enumerate(deal_bundles([[place] for place in range(count)], ids[:count], 8))
               for id in (ids[place] for place in shard)} for count in (900, 1000)]  # fmt: skip
    assert sum(shards[0][id] == shards[1][id] for id in ids[:900]) > 0.8 * 900


@given(st.lists(st.lists(st.integers(0, 29), min_size=1, max_size=4), max_size=25))
def test_overlapping_groups_are_joined(groups: list[list[int]]) -> None:
    pairs = [(group[0], other) for group in groups for other in group]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    graph = coo_array((numpy.ones(len(pairs)), (rows, columns)), shape=(30, 30))
    _, labels = connected_components(graph, directed=False)
    found = {tuple(bundle) for bundle in joined(30, groups)}
    assert found == {tuple(numpy.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@pytest.fixture(scope="module")
def server(environment: dict[str, str]) -> Iterator[Server]:
    with Server() as server:
        yield server


def parts(server: Server, file: Path, of: int) -> list[LoadedSuite]:
    """Every shard of a suite."""
    return [dealt(load(str(file), RunOptions(shard=(number, of)), server), "cpu") for number in range(1, of + 1)]


def written(folder: Path, plugin: str, text: str) -> Path:
    """A suite in a folder, beside one of the tests' plugins."""
    (folder / plugin).symlink_to(HELPERS / plugin)
    file = folder / "s.yaml"
    file.write_text(text)
    return file


@pytest.mark.verify
def test_cells_that_share_a_network_or_a_fit_stay_together(server: Server, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "fitting.py",
        "protocol: generation\nplugins: [fitting.py]\nseeds: 1\nmetrics: [fid_proxy]\n"
        "settings: {steps: [2, 3], samples: 64}\n"
        "vary:\n  denoiser: [taught, {taught: {broken: true}}, gaussian]\n"
        "  variance: [beta, {counted: {factor: [1.0, 2.0]}}]\n  sampler: [ddpm]\n",
    )
    found = [[cell.vary for cell in each.cells] for each in parts(server, file, 5)]
    where = {name: {n for n, shard in enumerate(found) for vary in shard if vary["denoiser"] == name}
             for name in ("taught", "taught(broken=true)")}  # fmt: skip
    assert all(len(places) == 1 for places in where.values()), "one network, one shard"
    fitted = {
        n for n, shard in enumerate(found) for v in shard if v["denoiser"] == "gaussian" and "counted" in v["variance"]
    }
    assert len(fitted) == 1, "one fit, one shard"
    assert sum(map(len, found)) == 18 and all(found), "what shares nothing is dealt"


def test_what_takes_turns_stays_together(server: Server, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "turns.py",
        "protocol: turns\nplugins: [turns.py]\nseeds: 3\nmetrics: [score]\nbaseline: each\n"
        "settings: {warm: [1, 2, 3]}\nvary: {loss: [each, {each: {value: [2, 3]}}]}\n",
    )
    found = [{cell.vary["warm"] for cell in each.cells} for each in parts(server, file, 2)]
    assert sorted(len(each.cells) for each in parts(server, file, 2)) == [3, 6]
    assert not found[0] & found[1] and found[0] | found[1] == {1, 2, 3}


@pytest.mark.verify
def test_a_selection_is_dealt_and_a_shard_without_cells_is_4(bench: Bench) -> None:
    suite = bench.suite("[{good: {value: [1, 2, 3, 4, 5]}}, bad]", baseline=None)
    lines = [bench(suite, "--shard", f"{number}/2", "-k", "good", "--dry-run").out.splitlines() for number in (1, 2)]
    heads = [line[1] for line in lines]
    assert sorted(head.split(": ")[1] for head in heads) == ["2 of 5 cells", "3 of 5 cells"]
    assert heads[1].startswith("shard 2 of 2: ")
    assert not {*lines[0][2:-2]} & {*lines[1][2:-2]}
    ended = bench(suite, "--shard", "6/6", "-k", "good")
    assert (ended.code, ended.out, len(ended.lines)) == (4, "", 1)
    assert ended.err.startswith("bench: --shard 6/6 has no cell: 5 cells fill fewer than 6 shards")


def test_the_first_whole_artifact_stays_and_an_altered_one_is_replaced(server: Server, tmp_path: Path) -> None:
    """Cells of another run may have the first one open: on a network disk it must not be renamed over."""
    plan, store = Plan([], {}, {}), Store(tmp_path, "x")

    def publish(content: bytes, fresh: bool = False) -> None:
        conditions = ExecutionConfig(tmp_path, fresh=fresh)
        part = tmp_path / "part"
        part.write_bytes(content)
        made: Made = {"digest": hashlib.sha256(content).hexdigest(), "read": {}}
        RunContext("x", tmp_path, plan, conditions, server, store).publish("key", part, made)

    artifact = tmp_path / ".cache" / "key.pt"
    artifact.parent.mkdir()
    publish(b"first")
    inode = artifact.stat().st_ino
    publish(b"second")
    assert (artifact.read_bytes(), artifact.stat().st_ino) == (b"first", inode)
    publish(b"third", fresh=True)
    assert artifact.read_bytes() == b"third"
    artifact.write_bytes(b"altered")
    publish(b"fourth")
    assert artifact.read_bytes() == b"fourth"
    context = RunContext("x", tmp_path, plan, ExecutionConfig(tmp_path), server, store)
    with pytest.raises(Failure, match="cannot be stored: No such file"):
        context.publish("other", tmp_path / "gone", {"digest": "", "read": {}})


@pytest.mark.verify
def test_shards_as_processes_of_which_two_are_killed_give_what_one_run_gives(bench: Bench) -> None:
    suite = bench.suite(
        f"[{{good: {{value: {[*range(1, 13)]}}}}}]", baseline="good", seeds=24, settings="{pause: 0.05}",
        gates="{score: {min: 5}}",
    )  # fmt: skip
    blocks = bench.folder / "blocks"
    words = [suite, "--device", "cpu", "--results", "one", "-q", "-j", "1"]
    running = {n: bench.start(*words, "--shard", f"{n}/{SHARDS}", env={"BLOCKS": str(blocks)}) for n in range(1, 5)}
    for number in (2, 3):
        _wait_for_records(bench.folder / "one", number)
        running[number].kill()
        running[number].communicate()
    for number in (1, 4):
        out, err = running[number].communicate(timeout=120)
        assert running[number].returncode == 0, (out, err)  # a broken gate is judged on all cells
    assert not list((bench.folder / "one" / "runs").glob("*-shard-[23]-of-4/shard.json"))
    again = [bench.start(*words, "--shard", f"{number}/{SHARDS}", env={"BLOCKS": str(blocks)}) for number in (2, 3)]
    for process in again:
        process.communicate(timeout=120)
        assert process.returncode == 0
    done = Counter(line.rsplit(" ", 1)[0] for line in blocks.read_text().splitlines())
    assert len(done) == 12 * 6 and sum(done.values()) <= 12 * 6 + 2, "only blocks in progress at a kill are repeated"
    before = len(records(bench.folder / "one"))
    merged, single = (bench(suite, "--device", "cpu", "--results", name, "--json", "-") for name in ("one", "alone"))
    assert merged.code == single.code == 1 and "gate: " in merged.err
    assert len(records(bench.folder / "one")) == before == 12 * 6, "nothing is measured by the whole run"
    assert stable(merged.json) == stable(single.json)


def _wait_for_records(results: Path, number: int) -> None:
    """Wait until a shard has written some records, and not yet all of them."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        files = [*(results / "records").glob(f"*-shard-{number}-of-*.jsonl")]
        if files and len(files[0].read_text().splitlines()) >= 2:
            return
        time.sleep(0.01)
    raise AssertionError("the shard has written nothing")


@pytest.mark.verify
def test_only_failures_are_measured_when_a_shard_is_run_again(bench: Bench) -> None:
    suite = bench.suite("[good, {good: {value: [2, 3]}}, {bad: {how: raise}}]")
    first = bench(suite, "--shard", "1/1", "--json", "-")
    assert first.code == 3 and first.json["shard"]["cells"] == first.json["shard"]["total"] == 4
    (manifest,) = (bench.folder / "results" / "runs").glob("*/shard.json")
    failed = [cell["id"] for cell in first.json["cells"] if cell["status"] == "failed"]
    assert json.loads(manifest.read_text())["failed"] == failed and len(failed) == 1
    before = len(records(bench.folder / "results"))
    assert bench(suite, "--shard", "1/1").code == 3
    new = records(bench.folder / "results")[before:]
    assert [record["cell"] for record in new] == failed
    said = bench("merge", "results").out.splitlines()
    assert said == ["results: nothing new", "noops: 0 of 1 shard complete; shard 1: 1 of 4 cells failed"]


@pytest.mark.verify
def test_a_part_says_that_it_is_one_and_leaves_gates_and_conditions_to_the_whole(bench: Bench) -> None:
    suite = bench.suite("[good, {good: {value: [2, 3]}}]", gates="{score: {max: 0}}")
    ended = bench(suite, "--shard", "1/3", "--fail-on", "undecided,skipped", "-q")
    assert ended.code == 0 and ended.out.startswith("This is shard 1 of 3: 1 of 3 cells.")
    stored = bench("report", "last", "--format", "json").json
    assert stored["answer"].startswith("This is shard 1 of 3: 1 of 3 cells.") and stored["gates"] == []
    (repeat,) = (bench.folder / "results" / "runs").glob("*/repeat.json")
    assert "--shard 1/3" in json.loads(repeat.read_text())["command"]
    against = bench(suite, "--shard", "1/3", "--against", "last")
    assert (against.code, len(against.lines)) == (2, 1) and against.err.startswith("bench: --shard: a part of a suite")


@pytest.mark.verify
def test_shards_that_make_the_same_table_at_once_all_end_well(bench: Bench) -> None:
    """Data are loaded by every shard: the first that has them gives them to the others that look later."""
    suite = bench.write(
        "s.yaml",
        "protocol: accuracy\nvary: {dataset: iris, model: linear, loss: [cross_entropy, hinge, focal, brier]}\nseeds: 2\n"
        "settings: {epochs: 1}\nmetrics: [accuracy]\nbaseline: cross_entropy\n",
    )
    words = [suite, "--device", "cpu", "-q"]
    for process in [bench.start(*words, "--shard", f"{number}/4") for number in range(1, 5)]:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
    cache = bench.folder / "results" / ".cache"
    assert len([*cache.glob("*.pt")]) == len([*cache.glob("*.json")]) == 1 and not [*cache.glob("*.part")]
    assert bench("doctor", "--store").code == 0
    assert "4 reused; 0 seeds to measure" in bench(suite, "--device", "cpu", "--dry-run").out
