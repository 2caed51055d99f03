"""Timing on a loaded machine: false alarms, true slow-downs found, and what the harness itself takes.

Another process keeps one core busy throughout. PAIRS in the environment says how many pairs are tried, 20 by default;
the targets are for 200 pairs and 100 slow-downs. Peers measure the same function back to back, as they do, and are
judged by the same rule: p at most 5 % (Welch) and more than 2 % apart.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import stats
from torch.utils import benchmark as torch_benchmark

from harness.commands.doctor import examine
from harness.protocols.speed.clock import TimedCall, Wall
from harness.run.context import ExecutionConfig
from harness.run.load import RunOptions, load
from harness.run.pipeline import execute_run
from harness.worker.supervisor import Server

PAIRS = int(os.environ.get("PAIRS", "20"))


def pairs(benchmark: BenchmarkFixture) -> int:
    """How many are tried: one where nothing is asked of the numbers."""
    return PAIRS if benchmark.enabled else 1


SPIN = Path(__file__).resolve().parents[1] / "helpers" / "spin.py"


@pytest.fixture
def busy() -> Iterator[None]:
    """One core is kept busy by somebody else."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield
    other.kill()
    other.wait()


def told_apart(one: list[float], other: list[float]) -> tuple[bool, bool]:
    """By p alone, and by a ratio that matters too."""
    ratio = statistics.mean(other) / statistics.mean(one)
    alone = bool(stats.ttest_ind(one, other, equal_var=False).pvalue <= 0.05)
    return alone, alone and abs(ratio - 1) > 0.02


@pytest.mark.verify
def test_false_alarms(benchmark: BenchmarkFixture, busy: None, tmp_path: Path) -> None:
    count, budget = pairs(benchmark), 0.3 if benchmark.enabled else 0.1
    report = benchmark.pedantic(lambda: examine(tmp_path, count, budget), rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(report)
    alone = f"{report['by_p_alone']:.1%} by p alone"
    print(f"\nequal functions differ in {report['false_positive_rate']:.1%} of {report['pairs']} pairs, {alone}")


@pytest.mark.verify
def test_a_slow_down_of_a_tenth(benchmark: BenchmarkFixture, busy: None, tmp_path: Path) -> None:
    count, budget = pairs(benchmark), 5.0 if benchmark.enabled else 0.1
    suite = tmp_path / "spin.yaml"
    suite.write_text(
        f"protocol: speed\nplugins: [{SPIN}]\nmetrics: seconds\nseeds: 200\nbaseline: {{transform: spin}}\n"
        "vary: {transform: {spin: {rounds: [1000, 1100]}}}\n"
        f"settings: {{n: {[*range(2, 2 + count)]}, batch: 1, budget: {budget}}}\n"
    )

    def found() -> tuple[int, float]:
        with Server() as server:
            run = execute_run(
                load(str(suite), RunOptions(trust=True), server), ExecutionConfig(tmp_path / "results"), server
            )
        entries: list[Any] = [entry for cell in run.cells for entry in cell.against.values()]
        slower = sum(entry.p <= 0.05 and entry.ratio.ratio > 1.02 for entry in entries)
        times: list[Any] = [cell.seconds for cell in run.cells]
        spent = [sum(times[k : k + 2]) for k in range(0, 2 * count, 2)]
        return slower, max(spent)

    slower, longest = benchmark.pedantic(found, rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(found=slower / count, longest=longest)
    print(f"\na slow-down of 1.10 found in {slower} of {count} trials, at most {longest:.1f} s of measuring each")


def back_to_back(call: Callable[[], Any]) -> list[float]:
    """As hyperfine does: ten runs of one, after a warm-up."""
    Wall().sample(call, 100)
    return [Wall().sample(call, 1000) / 1000 for _ in range(10)]


def by_pytest_benchmark(call: Callable[[], Any]) -> list[float]:
    """As its fixture does: calibrated rounds for a while."""
    times = 1
    while Wall().sample(call, times) < 1e-4:
        times *= 2
    return [Wall().sample(call, times) / times for _ in range(200)]


def by_torch(call: Callable[[], Any]) -> list[float]:
    timer = torch_benchmark.Timer("call()", globals={"call": call})
    return list(timer.blocked_autorange(min_run_time=0.3).times)


PEERS: dict[str, Callable[[Callable[[], Any]], list[float]]] = {
    "back to back": back_to_back,
    "pytest-benchmark": by_pytest_benchmark,
    "torch.utils.benchmark": by_torch,
}


@pytest.mark.parametrize("peer", PEERS)
def test_false_alarms_of_peers(benchmark: BenchmarkFixture, busy: None, peer: str) -> None:
    torch.set_num_threads(1)
    logits, sample, count = torch.randn(64, 64), PEERS[peer], pairs(benchmark)
    call = lambda: torch.sigmoid(logits)  # noqa: E731

    def alarms() -> tuple[int, int]:
        alone, both = zip(*(told_apart(sample(call), sample(call)) for _ in range(count)), strict=True)
        return sum(alone), sum(both)

    alone, wrong = benchmark.pedantic(alarms, rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(false_positive_rate=wrong / count, by_p_alone=alone / count)
    print(f"\n{peer}: equal functions differ in {wrong / count:.1%} of {count} pairs, {alone / count:.1%} by p alone")


def test_what_the_timer_costs_inside_a_block(benchmark: BenchmarkFixture) -> None:
    logits = torch.randn(64, 64)
    turn = TimedCall(Wall(), lambda: torch.sigmoid(logits))
    timer = statistics.median(Wall().sample(lambda: None, 0) for _ in range(10_000))
    samples = benchmark.pedantic(turn.samples, rounds=20)  # type: ignore[no-untyped-call]
    share = timer / (statistics.median(samples) * turn.times)
    benchmark.extra_info.update(share=share)
    print(f"\nthe timer takes {timer * 1e9:.0f} ns, {share:.4%} of a sample")


@pytest.mark.verify
def test_what_the_harness_costs_in_a_turn(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """A turn in which nothing is done, seen from the driver: asked, answered, ruled."""
    plugin = Path(__file__).resolve().parent.parent / "helpers" / "turns.py"
    suite = tmp_path / "turns.yaml"
    suite.write_text(
        f"protocol: turns\nplugins: [{plugin}]\nmetrics: score\nseeds: 500\nbaseline: each\n"
        "vary: {loss: [each, {each: {value: [2, 3, 4]}}]}\n"
    )
    os.environ["TURNS"] = os.devnull

    def spent(seeds: int) -> float:
        prepared = load(str(suite), RunOptions(trust=True, overrides={"seeds": str(seeds)}), server)
        before = time.perf_counter()
        execute_run(prepared, ExecutionConfig(tmp_path / "results", fresh=True), server)
        return time.perf_counter() - before

    with Server() as server:
        spent(2)
        few = spent(2)
        more = 500 if benchmark.enabled else 10
        turn = benchmark.pedantic(lambda: (spent(2 + more) - few) / more / 4, rounds=3)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(turn_ms=turn * 1e3)
    print(f"\na turn that does nothing: {turn * 1e3:.2f} ms")
