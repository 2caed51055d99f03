"""What is known of the machine, what makes times weak, and the doctor's opinion: by made-up findings where there is no such machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from harness import machine
from harness.protocols._clock import Events, Turn, Wall, clock
from harness.running.doctor import judged, lines
from tests.conftest import Bench

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device here")


def entry(p: float, ratio: float) -> dict[str, Any]:
    return {"against": {"seconds": {"p": p, "ratio": {"ratio": ratio}}}}


def test_the_doctor_counts_pairs_that_are_sure_and_far_enough_apart() -> None:
    cells = [{"against": {}}, entry(0.01, 1.05), entry(0.01, 1.01), entry(0.2, 1.3), entry(0.05, 0.97)]
    found = judged({"measure": [{"ratio": 0.02}], "cells": cells})
    assert (found["pairs"], found["false_positive_rate"], found["by_p_alone"]) == (4, 0.5, 0.75)


def test_later_runs_are_told_what_the_doctor_found(tmp_path: Path) -> None:
    assert machine.opinion(tmp_path) is None and machine.doubts(None) == []
    said = {"run": "r", "pairs": 40, "alpha": 0.05, "false_positive_rate": 0.125, "load": 3.0}
    (tmp_path / "doctor.json").write_text(json.dumps(said))
    found = machine.opinion(tmp_path)
    assert found == {key: said[key] for key in ("run", "pairs", "alpha", "false_positive_rate")}
    assert machine.doubts(found) == [
        "this machine is unfit to compare times: bench doctor told 12.5% of 40 equal pairs apart (r)"
    ]
    assert machine.doubts({**found, "false_positive_rate": 0.05}) == []


def test_bench_doctor_times_a_function_against_itself_and_keeps_its_opinion(bench: Bench) -> None:
    ended = bench("doctor", "--pairs", "2", "--budget", "0.05", timeout=300)
    assert ended.code == 0, ended.err
    opinion = json.loads((bench.folder / "results" / "doctor.json").read_text())
    assert opinion["pairs"] == 2 and ended.out.splitlines() == list(lines(opinion))
    assert (bench.folder / "results" / "runs" / opinion["run"] / "result.json").exists()
    assert 0 < opinion["timer_ns"] < 1e6 and opinion["cores"] >= 1


@pytest.mark.parametrize(("bits", "throttled"), [("0x1", False), ("0x2", False), ("0x4", True), ("0x61", True)])
def test_a_gpu_held_back_by_heat_or_power_is_a_warning(bits: str, throttled: bool) -> None:
    said = {"clocks.sm": "900", "clocks_throttle_reasons.active": bits}
    notes = [{"share": [1.0], "load": [0.0], "mhz": [1.0], "throttled": [0.0]}]
    assert bool(machine.weaknesses(notes, 2, said)) is throttled


def test_a_sample_is_long_enough_for_the_clock_and_short_calls_are_many() -> None:
    turn = Turn(clock("cpu"), lambda: None)
    assert isinstance(clock("cpu"), Wall) and turn.times > 1000 and turn.count > 1
    assert len(turn.samples()) == turn.count and turn.calls == turn.times * (turn.count + 1)


@NO_GPU
@pytest.mark.parametrize("flush", [False, True])
def test_events_time_a_gpu(flush: bool) -> None:
    x = torch.randn(4096, 4096, device="cuda")
    times = clock("cuda", flush)
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
