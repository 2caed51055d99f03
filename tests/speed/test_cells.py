"""What the harness itself costs: a run's CPU time over cells, and over seeds, that do nothing.

Quotients, not differences: the difference of two runs can be negative on a busy machine.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.run.context import ExecutionConfig
from harness.run.load import RunOptions, load
from harness.run.pipeline import execute_run
from harness.worker.supervisor import Server

NOTHING = '''
"""A protocol that measures nothing, one seed a block."""
from harness import CellRunner, Measurements, Protocol, hookimpl


class Nothing(Protocol):
    """Gives every seed the same number."""

    required_kinds = {"loss": None}
    compared_kinds = ("loss",)
    metric_inputs = ("logits", "target")

    def setup(self, case):
        return Empty()


class Empty(CellRunner):
    def measure(self, seeds, tuned):
        return Measurements(seeds=seeds, metrics={"accuracy": [0.5 for _ in seeds]})


@hookimpl
def components():
    return [Nothing]
'''


def processor_seconds() -> float:
    """CPU seconds of this process, of the fork server it started and of every child that server has waited for."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rsplit(") ", 1)[-1].split()
        command = (stat.parent / "cmdline").read_bytes()
        if int(fields[1]) == os.getpid() and b"harness.worker.server" in command:
            ticks += sum(int(fields[k]) for k in (11, 12, 13, 14))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.verify
@pytest.mark.parametrize("losses", [8])
def test_cells_and_seeds_that_do_nothing(benchmark: BenchmarkFixture, losses: int, tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text(NOTHING)
    names = ", ".join(f"{{focal: {{gamma: {k}.5}}}}" for k in range(losses))

    def spent(server: Server, contenders: str, seeds: int, folder: str) -> float:
        suite = tmp_path / "nothing.yaml"
        suite.write_text(
            f"protocol: nothing\nplugins: [nothing.py]\nvary: {{loss: [{contenders}]}}\nmetrics: accuracy\nseeds: {seeds}\n"
        )
        prepared = load(str(suite), RunOptions(), server)
        before = processor_seconds()
        execute_run(prepared, ExecutionConfig(tmp_path / folder), server)
        return processor_seconds() - before

    with Server() as server:
        spent(server, names, 1, "warm")
        cell = spent(server, names, 1, "cells") / losses
        seed = spent(server, "focal", 500, "seeds") / 500
        benchmark.pedantic(lambda: spent(server, "focal", 1, f"again{time.monotonic_ns()}"), rounds=5)
    benchmark.extra_info.update(cell_ms=cell * 1e3, seed_ms=seed * 1e3)
    print(
        f"\n{losses} cells that do nothing: {cell * 1e3:.1f} ms CPU each; 500 seeds that do nothing: {seed * 1e3:.2f} ms CPU each"
    )
