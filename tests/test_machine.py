"""What is known of the machine, what makes times weak, and the doctor's opinion: by made-up findings where there is no such machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from harness import machine
from harness.commands.doctor import judged, lines
from harness.protocols.speed.clock import Events, TimedCall, Wall, clock
from harness.results import Comparison, Issue, IssueKind, MetricInfo, Needed, Ratio, Row, Run
from tests.conftest import Bench

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device here")


def pair(p: float, ratio: float) -> Row:
    """A row that is compared in seconds: its p, and its ratio to the baseline."""
    compared = Comparison(
        baseline="one",
        difference=None,
        low=None,
        high=None,
        interval=None,
        p=p,
        p_holm=p,
        family=1,
        verdict=None,
        needed=Needed(None, None),
        ratio=Ratio(ratio=ratio, low=None, high=None),
    )
    return Row(id="other", vary={}, against={"seconds": compared})


def test_the_doctor_counts_pairs_that_are_sure_and_far_enough_apart() -> None:
    pairs = [pair(0.01, 1.05), pair(0.01, 1.01), pair(0.2, 1.3), pair(0.05, 0.97)]
    seconds = MetricInfo(label="seconds", higher_is_better=False, relative_margin=0.02)
    run = Run(
        suite="s", question="?", run="r", protocol="speed", metrics=(seconds,), cells=(Row(id="one", vary={}), *pairs)
    )
    found = judged(run)
    assert (found["pairs"], found["false_positive_rate"], found["by_p_alone"]) == (4, 0.5, 0.75)


def test_later_runs_are_told_what_the_doctor_found(tmp_path: Path) -> None:
    assert machine.doctor_report(tmp_path) is None and machine.noise(None) == []
    said = {"run": "r", "pairs": 40, "alpha": 0.05, "false_positive_rate": 0.125, "load": 3.0}
    (tmp_path / "doctor.json").write_text(json.dumps(said))
    found = machine.doctor_report(tmp_path)
    assert found == {key: said[key] for key in ("run", "pairs", "alpha", "false_positive_rate")}
    expected = Issue(IssueKind.NOISY_MACHINE, name="r", value=0.125, bound=0.05, count=40)
    assert machine.noise(found) == [expected]
    assert machine.noise({**found, "false_positive_rate": 0.05}) == []


@pytest.mark.verify
def test_bench_doctor_times_a_function_against_itself_and_keeps_its_report(bench: Bench) -> None:
    ended = bench("doctor", "--pairs", "2", "--budget", "0.05", timeout=300)
    assert ended.code == 0, ended.err
    report = json.loads((bench.folder / "results" / "doctor.json").read_text())
    assert report["pairs"] == 2 and ended.out.splitlines() == list(lines(report))
    assert (bench.folder / "results" / "runs" / report["run"] / "result.json").exists()
    assert 0 < report["timer_ns"] < 1e6 and report["cores"] >= 1


@pytest.mark.parametrize(("bits", "throttled"), [("0x1", False), ("0x2", False), ("0x4", True), ("0x61", True)])
def test_a_gpu_held_back_by_heat_or_power_is_a_warning(bits: str, throttled: bool) -> None:
    said = {"clocks.sm": "900", "clocks_throttle_reasons.active": bits}
    notes = [{"share": [1.0], "load": [0.0], "mhz": [1.0], "throttled": [0.0]}]
    assert bool(machine.weaknesses(notes, 2, said)) is throttled


def test_a_sample_is_long_enough_for_the_clock_and_short_calls_are_many() -> None:
    turn = TimedCall(clock("cpu"), lambda: None)
    assert isinstance(clock("cpu"), Wall) and turn.times > 1000 and turn.count > 1
    assert len(turn.samples()) == turn.count and turn.calls == turn.times * (turn.count + 1)


@NO_GPU
@pytest.mark.parametrize("flush_cache", [False, True])
def test_events_time_a_gpu(flush_cache: bool) -> None:
    x = torch.randn(4096, 4096, device="cuda")
    times = clock("cuda", flush_cache)
    assert isinstance(times, Events)
    spent = times.sample(lambda: x @ x, 10)
    assert 0 < spent < 10 and times.latency(lambda: x @ x) > 0


def test_a_command_can_be_started_at_the_same_addresses_every_time() -> None:
    words = machine.same_addresses()
    if not words:
        pytest.skip("this system does not start commands at the same addresses")
    say = [*words, sys.executable, "-S", "-c", "print(id(object()), id(print))"]
    hashes = {**os.environ, "PYTHONHASHSEED": "0"}  # where things lie may depend on the order of a set
    found = {subprocess.run(say, capture_output=True, text=True, check=True, env=hashes).stdout for _ in range(5)}
    assert len(found) == 1
