"""What the store costs: writing, a scan of what is stored, a report of it, and seeds that do nothing.

RECORDS in the environment says how many records are written, 2,000 by default; the targets are for 100,000. They are
records of a real run, written by what writes them there; only their cells and seeds are others.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.results.store import Store
from harness.run.context import ExecutionConfig
from harness.run.load import LoadedSuite, RunOptions, load
from harness.run.pipeline import execute_run, new_run
from harness.worker.supervisor import Server
from tests.helpers.placed import context
from tests.speed.test_cells import NOTHING

ROOT = Path(__file__).resolve().parents[2]
RECORDS = int(os.environ.get("RECORDS", "2000"))
NAMED = {"cell", "question", "environment", "run", "vary", "parameters", "protocol", "inputs"}
"""What a record says of its cell."""
SEEDS = 100
"""Seeds of a cell, each in a record of its own."""


def prepared(folder: Path, server: Server, cells: int, seeds: int) -> LoadedSuite:
    """A suite of cells that do nothing, one seed a block."""
    (folder / "nothing.py").write_text(NOTHING)
    gammas = ", ".join(f"{1 + k / 64}" for k in range(cells))
    (folder / "s.yaml").write_text(
        f"protocol: nothing\nplugins: [nothing.py]\nvary: {{loss: {{focal: {{gamma: [{gammas}]}}}}}}\n"
        f"metrics: accuracy\nseeds: {seeds}\n"
    )
    return load(str(folder / "s.yaml"), RunOptions(), server)


def filled(folder: Path, cells: int) -> float:
    """Write SEEDS records for each of so many cells as a run does; return the seconds that it took."""
    with Server() as server:
        suite = prepared(folder, server, cells, SEEDS)
        conditions = ExecutionConfig(folder / "results")
        one = load(str(folder / "s.yaml"), RunOptions(select="1.0", overrides={"seeds": "1"}), server)
        execute_run(one, conditions, server)
        whole = next(Store(conditions.results, "").all())
        record: Any = {key: value for key, value in whole.items() if key not in NAMED}
        identity = new_run(conditions.results, "filled")
        site = context(identity, folder, suite, conditions, server)
        begun = time.monotonic()
        for task in site.plan.tasks:
            for seed in task.missing:
                site.keep(task, record | {"block": seed, "seeds": [seed], "status": "ok"})
        site.store.close()
        return time.monotonic() - begun


def command(folder: Path, *words: str) -> Mapping[str, float]:
    """Run the command; return its seconds, its CPU seconds with its children's, and its own largest memory in MiB."""
    begun, largest, ended = time.monotonic(), 0, 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-m", "harness", *words], cwd=folder, env=environment, stdout=-3)
    while not ended:
        with contextlib.suppress(OSError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text()
            largest = max(largest, int(status.split("VmHWM:")[1].split()[0]))
        time.sleep(0.01)
        ended, code, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(code)
    assert process.returncode == 0
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": time.monotonic() - begun, "cpu": cpu, "mib": largest / 1024}


@pytest.mark.verify
def test_a_store_that_holds_everything(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Written once, scanned by a dry run, resumed by a run that measures nothing, and reported."""
    cells = max(1, RECORDS // SEEDS)
    spent = filled(tmp_path, cells)
    (file,) = (tmp_path / "results" / "records").glob("*-filled.jsonl")
    size = file.stat().st_size
    print(f"\n{RECORDS} records of {size / RECORDS:.0f} bytes, {RECORDS / spent:,.0f} written a second")
    benchmark.extra_info.update(records=RECORDS, written_per_second=RECORDS / spent)
    for name, words in (
        ("dry run without a store", ("s.yaml", "--dry-run", "--results", "none")),
        ("dry run", ("s.yaml", "--dry-run")),
        ("resume", ("s.yaml", "-q")),
        ("report", ("report", "last")),
    ):
        found = command(tmp_path, *words)
        benchmark.extra_info[name] = found
        print(f"{name}: {found['seconds']:.2f} s, {found['cpu']:.2f} s of CPU, {found['mib']:.0f} MiB")
    benchmark.pedantic(lambda: command(tmp_path, "s.yaml", "--dry-run"), rounds=1)


@pytest.mark.verify
def test_seeds_of_a_cell_that_does_nothing(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The bookkeeping of a run is linear in the seeds: a quarter of them takes a quarter of the time."""
    with Server() as server:

        def spent(seeds: int) -> float:
            suite = prepared(tmp_path, server, 1, seeds)
            begun = time.monotonic()
            execute_run(suite, ExecutionConfig(tmp_path / f"results-{seeds}"), server)
            return time.monotonic() - begun

        for seeds in (RECORDS // 4, RECORDS // 2):
            print(f"\n{seeds} seeds of one cell: {(found := spent(seeds)):.2f} s, {found / seeds * 1e3:.2f} ms each")
        benchmark.pedantic(lambda: spent(RECORDS), rounds=1)
