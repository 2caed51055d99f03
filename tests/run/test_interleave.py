"""Interleaving: who takes turns with whom, which blocks count, what is stored and what is measured again."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.results import IssueKind, Reason, ReasonKind
from harness.results.statements import Weakness
from harness.run.context import ExecutionConfig
from harness.run.execute import Execution
from harness.run.load import RunOptions, load
from harness.run.sanity import said
from harness.run.task import Task
from harness.worker.supervisor import Server
from tests.helpers.placed import context

PLUGIN = Path(__file__).resolve().parents[1] / "helpers" / "turns.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One warm server for all tests: it and its children know where turns are written down."""
    os.environ["TURNS"] = str(tmp_path_factory.mktemp("turns") / "turns")
    with Server() as server:
        yield server
    del os.environ["TURNS"]


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder with results of its own; what is measured in it is not analysed."""

    path: Path
    server: Server
    tasks: list[Task] = dataclasses.field(default_factory=list)

    def __call__(
        self, loss: str = "[each, {each: {value: [2, 3]}}]", fresh: bool = False, **keys: Any
    ) -> tuple[Any, list[list[str]]]:
        """The rows of a suite of turns, and the turns it took: (block, loss, process, baseline), in order."""
        said = {
            "protocol": "turns",
            "plugins": f"[{PLUGIN}]",
            "baseline": "each",
            "seeds": 5,
            "metrics": "score",
            "device": "cpu",
        }
        suite = self.path / "turns.yaml"
        suite.write_text(
            "".join(f"{key}: {value}\n" for key, value in (said | keys | {"vary": f"{{loss: {loss}}}"}).items())
        )
        Path(os.environ["TURNS"]).write_text("")
        prepared, results = load(str(suite), RunOptions(trust=True), self.server), self.path / "results"
        conditions = ExecutionConfig(results, fresh=fresh)
        name = f"run{len(list(results.glob('records/*'))):02}"
        site = context(name, self.path, prepared, conditions, self.server)
        rows = Execution(site).rows()
        site.store.close()
        self.tasks[:] = site.plan.tasks
        return rows, [line.split("|") for line in Path(os.environ["TURNS"]).read_text().splitlines()]


@pytest.fixture
def measured(tmp_path: Path, server: Server) -> Folder:
    return Folder(tmp_path, server)


def test_every_block_holds_every_contender_once_in_an_order_of_its_own(measured: Folder) -> None:
    rows, taken = measured()
    blocks: dict[str, list[str]] = {}
    for block, loss, _, _ in taken:
        blocks.setdefault(block, []).append(loss)
    names = ["each", "each(value=2.0)", "each(value=3.0)"]
    assert list(blocks) == [str(k) for k in range(7)], "two to warm up and five that count, one after the other"
    assert all(sorted(order) == names for order in blocks.values())
    assert len({tuple(order) for order in blocks.values()}) > 1
    assert len({process for _, _, process, _ in taken}) == 3, "each has a process of its own, and keeps it"
    assert {baseline for *_, baseline in taken} == {"each"}
    assert [row.seeds for row in rows] == [(0, 1, 2, 3, 4)] * 3
    assert [row.values["score"] for row in rows] == [(v,) * 5 for v in (1.0, 2.0, 3.0)]
    (issue,) = said(measured.tasks)
    assert (issue.kind, issue.name, issue.rows) == (IssueKind.WEAK_TIMING, Weakness.THROTTLED, tuple(names))


def test_the_order_is_the_same_in_every_run(measured: Folder) -> None:
    first, again = ([turn[:2] for turn in measured("[each, {each: {value: 2}}]", fresh=True)[1]] for _ in range(2))
    assert first == again


def test_a_record_has_the_raw_samples_of_every_block_and_says_why_it_stopped(measured: Folder) -> None:
    measured(settings="{most: 3}")
    records = [
        json.loads(line) for file in measured.path.glob("results/records/*") for line in file.read_text().splitlines()
    ]
    assert [record["seeds"] for record in records] == [[0, 1, 2]] * 3
    assert records[0]["raw_samples"]["number"] == [[1.0, 1.0]] * 5
    assert records[0]["blocks"] == {"count": 3, "warm": 2, "stop": "precise", "bound": 0.5}


def test_a_problem_is_reused_whole_or_measured_whole(measured: Folder) -> None:
    measured()
    assert measured()[1] == [], "everything is stored"
    assert measured("[each, {each: {value: 3}}]")[1] == [], "what is left of a block is still a block"
    _, taken = measured("[each, {each: {value: [2, 4]}}]")
    assert len(taken) == 7 * 3, "a new contender measures the others again"
    assert measured()[1] == [], "and the older run still has those that it had"


def test_more_blocks_are_measured_anew_unless_it_was_enough_before(measured: Folder) -> None:
    measured()
    assert measured(seeds=4)[1] == []
    assert len(measured(seeds=6)[1]) == 8 * 3
    measured(settings="{most: 3}")
    assert measured(settings="{most: 3}", seeds=20)[1] == []


@pytest.mark.parametrize(("how", "status"), [("raise", "failed"), ("exit", "crashed")])
def test_a_block_in_which_somebody_falls_out_counts_for_nobody(how: str, status: str, measured: Folder) -> None:
    rows, taken = measured(f"[each, {{each: {{value: 2}}}}, {{each: {{how: {how}}}}}]")
    cells = {row.vary["loss"]: row for row in rows}
    assert cells[f"each(how={how})"].status == status and cells[f"each(how={how})"].seeds == ()
    for name in ("each", "each(value=2.0)"):
        assert cells[name].seeds == (0, 1, 2, 3, 4)
        assert {"0", "1", "2", "4", "5", "6", "7"} <= {block for block, loss, *_ in taken if loss == name}


def test_one_that_is_skipped_stays_skipped_and_costs_nothing_again(measured: Folder) -> None:
    losses = "[each, {each: {how: skip}}, {each: {value: 2}}]"
    for turned in (14, 0):
        rows, taken = measured(losses)
        assert len(taken) == turned
        assert [row.status for row in rows] == ["ok", "skipped", "ok"]
        assert rows[1].why == Reason(ReasonKind.SAID, text="impossible")


def test_problems_do_not_mix(measured: Folder) -> None:
    _, taken = measured("[each, {each: {value: 2}}]", settings="{warm: [1, 2]}", seeds=2)
    assert [int(block) for block, *_ in taken] == [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 3, 3]


def test_a_device_that_is_not_there_is_skipped_with_the_reason(measured: Folder) -> None:
    rows, taken = measured("[each]", device="[cpu, cuda]", seeds=2)
    assert [row.vary["device"] for row in rows] == ["cpu", "cuda"]
    assert [(row.status, row.why) for row in rows] == [
        ("ok", None),
        ("skipped", Reason(ReasonKind.NO_DEVICE, name="cuda")),
    ]
    assert len(taken) == 4
