"""`--gpus`: every cell sees the GPU of its slot, and no two cells one GPU unless there are more cells than GPUs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cli.option_types import numbers
from harness.errors import BenchError
from harness.run import load
from harness.run.context import ExecutionConfig
from harness.run.pipeline import execute_run
from harness.worker.supervisor import Server
from tests.conftest import Bench

PLUGIN = '''
import os
import subprocess
import sys
import time

from harness import Loss, hookimpl


class Where(Loss):
    """The GPU that it sees, as a program that it runs does."""

    value: float = 1.0

    def __call__(self, seeds, case):
        started = time.monotonic()
        script = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'])"
        found = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True).stdout
        time.sleep(0.3)
        with open(os.environ["SPANS"], "a") as stream:
            stream.write(f"{found.strip()} {started} {time.monotonic()}\\n")
        assert found.strip() == os.environ["CUDA_VISIBLE_DEVICES"]
        return [float(found) for _ in seeds]


@hookimpl
def components():
    return [Where]
'''


def measured(bench: Bench, monkeypatch: pytest.MonkeyPatch, gpus: Sequence[str], jobs: int | None) -> list[list[float]]:
    """(GPU, start, end) of every cell, in the order of their ends."""
    spans = bench.folder / f"spans-{jobs}"
    monkeypatch.setenv("SPANS", str(spans))
    monkeypatch.setenv("XDG_CACHE_HOME", bench.environment["XDG_CACHE_HOME"])
    bench.write("where.py", PLUGIN)
    suite = bench.suite("[{where: {value: [1, 2, 3, 4]}}]", baseline=None, plugins="[noop.py, where.py]", seeds=4)
    with Server() as server:
        prepared = load.load(str(suite), load.RunOptions(), server)
        conditions = ExecutionConfig(bench.folder / f"results-{jobs}", gpus=gpus, jobs=jobs)
        found = execute_run(prepared, conditions, server)
    told = [[float(word) for word in line.split()] for line in spans.read_text().splitlines()]
    assert sorted(row.metrics["score"].mean or 0.0 for row in found.cells) == sorted(gpu for gpu, _, _ in told)
    return told


def most(spans: Sequence[Sequence[float]]) -> int:
    """The largest number of spans at one time."""
    return max(sum(start <= at < end for _, start, end in spans) for _, at, _ in spans)


@pytest.mark.verify
def test_a_cell_sees_the_gpu_of_its_slot(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = measured(bench, monkeypatch, ("3", "5"), None)
    by_gpu = {gpu: [span for span in spans if span[0] == gpu] for gpu in (3.0, 5.0)}
    assert len(spans) == 4 and most(spans) == 2
    assert all(each and most(each) == 1 for each in by_gpu.values())
    assert {gpu for gpu, _, _ in measured(bench, monkeypatch, ("3", "5"), 1)} == {3.0}
    assert sorted(gpu for gpu, _, _ in measured(bench, monkeypatch, ("3", "5"), 4)) == [3.0, 3.0, 5.0, 5.0]


def test_gpus_are_counted_among_those_that_the_command_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "gpu_count", lambda server: 3)
    prepared: Any = SimpleNamespace(cells=[])
    server: Any = None

    def chosen(wanted: Sequence[int], device: str = "cuda") -> list[str]:
        return load.chosen_gpus(wanted, device, prepared, server)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert chosen(()) == ["0", "1", "2"] and chosen((2, 0)) == ["2", "0"] and chosen((), "cpu") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-8f,6")
    assert chosen(()) == ["4", "GPU-8f", "6"] and chosen((2, 1)) == ["6", "GPU-8f"]
    with pytest.raises(BenchError, match=r"--gpus 1,3: no GPU 3, this machine has 3 GPUs, numbered from 0"):
        chosen((1, 3))
    with pytest.raises(BenchError, match=r"--gpus 1: the cells are measured on the CPU \(--device cuda\)"):
        chosen((1,), "cpu")


def test_a_gpu_that_is_not_there_is_a_mistake(bench: Bench) -> None:
    ended = bench(bench.suite(), "--gpus", "0,1", env={"CUDA_VISIBLE_DEVICES": ""})
    assert ended.code == 2 and not Path(bench.folder, "results").exists()
    assert ended.lines == ["bench: --gpus 0,1: no GPU 0, this machine has no GPU that torch sees"]


def test_the_list_is_of_whole_numbers() -> None:
    assert numbers("2, 0,2") == (2, 0)
    for text in ("all", "-1", "1.5", "", ",", "1;2", "²"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no list of whole numbers, such as 0,2"):
            numbers(text)
