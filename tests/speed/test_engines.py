"""What Ray adds to a cell: its process started, asked three times, ended; here and on a node, in turns."""

from __future__ import annotations

import importlib.util
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.engines import Demands, Place
from harness.engines.local import Local
from harness.suite import Resources
from harness.worker.supervisor import Server

MISSING = "" if importlib.util.find_spec("ray") else "ray is not installed"
QUESTION = {"ask": "describe", "plugins": []}
CELLS = 100


def cell(place: Place) -> float:
    """The seconds of a cell of one block: set up, tuned, measured, each of which is nothing."""
    begun = time.perf_counter()
    process = place.start("logs/cell.log")
    for _ in range(3):
        process.ask(QUESTION, dict[str, Any], 60)
    process.close()
    return time.perf_counter() - begun


@pytest.mark.verify
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_cell_on_a_node_of_ray(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    from harness.engines.ray import Ray

    with Server() as server:
        demands = Demands(server, tmp_path, Resources(cpus=1), jobs=1)
        with Local(demands) as here, Ray(demands) as there:
            here.open()
            there.open()
            with here.place() as near, there.place() as far:
                cell(near), cell(far)
                pairs = [(cell(near), cell(far)) for _ in range(CELLS)]
                benchmark.pedantic(lambda: cell(far), rounds=20)
    one, other = (statistics.median(each) * 1e3 for each in zip(*pairs, strict=True))
    benchmark.extra_info.update(local_ms=one, ray_ms=other)
    print(f"\na cell that does nothing: {one:.1f} ms here, {other:.1f} ms on a node: {other - one:.1f} ms more")
