"""SIGKILL at random moments to the command, its fork server or a cell's process: nothing measured is lost.

40 kills in `make verify`, 1,000 with FULL=1, with a fixed seed; the moments still differ, as the machine's load does.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from typing import Any

import pytest

from tests.conftest import Bench
from tests.faults.running import MARK, marked

pytestmark = pytest.mark.verify

KILLS = 1000 if os.environ.get("FULL") == "1" else 40
VALUES = ", ".join(map(str, range(2, 12)))
LOSSES = f"[good, {{good: {{value: [{VALUES}]}}}}]"
SETTINGS = "{pause: 0.04, block_size: 2}"


def values(result: Any) -> dict[str, list[float]]:
    """The numbers of every row of a result."""
    return {row["vary"]["loss"]: row["metrics"]["score"]["values"] for row in result["cells"]}


def lines(bench: Bench) -> list[bytes]:
    """Every whole line of every file of records."""
    files = sorted(bench.folder.glob("results/records/*.jsonl"))
    return [line for file in files for line in file.read_bytes().split(b"\n")[:-1]]


def killed(mark: str, command: int, rng: random.Random) -> str:
    """Kill one of a run's processes, and return which: `command`, or `worker` for the fork server and its children."""
    found = [int(line.partition(":")[0]) for line in marked(mark)]
    others = [pid for pid in found if pid != command]
    target = rng.choice(others) if others and rng.random() < 0.75 else command
    try:
        os.kill(target, signal.SIGKILL)
    except ProcessLookupError:
        return "nothing"
    return "command" if target == command else "worker"


def gone(mark: str) -> bool:
    """Whether all processes of a run have ended before long."""
    limit = time.monotonic() + 30
    while marked(mark) and time.monotonic() < limit:
        time.sleep(0.05)
    return not marked(mark)


def test_nothing_is_lost_torn_or_left_behind(bench: Bench) -> None:
    suite = bench.suite(LOSSES, settings=SETTINGS)
    rng, kills, codes = random.Random(18), {"command": 0, "worker": 0, "nothing": 0}, []
    before: list[bytes] = []
    while kills["command"] + kills["worker"] < KILLS:
        mark = str(time.monotonic_ns())
        process = bench.start(suite, "--device", "cpu", "-q", env={MARK: mark})
        time.sleep(rng.uniform(0.2, 4.0))
        while process.poll() is None and kills["command"] + kills["worker"] < KILLS:
            kills[killed(mark, process.pid, rng)] += 1
            time.sleep(rng.uniform(0.0, 0.6))
        _, err = process.communicate(timeout=120)
        if process.returncode not in (0, 3, -signal.SIGKILL):
            pytest.fail(f"exit code {process.returncode}: {err.decode()}")
        codes.append(process.returncode)
        assert gone(mark), marked(mark)
        after = lines(bench)
        assert set(before) <= set(after), "no record was lost or changed"
        assert all(json.loads(line)["cell"] for line in after), "no record is torn"
        before = after
        if process.returncode in (0, 1):  # all is measured: what is left of the kills needs more to do
            suite = bench.suite(LOSSES, settings=SETTINGS, seeds=8 + 8 * len(codes))
    assert min(kills["command"], kills["worker"]) > 0, kills
    print(kills, f"{len(codes)} commands")
    ended = bench(suite, "--device", "cpu", "--json", "-", timeout=300)
    assert ended.code == 0, ended.err
    quiet = Bench(bench.folder / "quiet", bench.environment)
    quiet.folder.mkdir()
    seeds = len(next(iter(values(ended.json).values())))
    once = quiet(quiet.suite(LOSSES, settings=SETTINGS, seeds=seeds), "--device", "cpu", "--json", "-", timeout=300)
    assert values(ended.json) == values(once.json)
