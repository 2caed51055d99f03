"""A process in a session of its own, which no signal but SIGKILL ends, survives no end of the run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import Bench
from tests.faults.running import MARK, marked

pytestmark = pytest.mark.verify


def soon(count: int, mark: str) -> bool:
    """Whether the run has at least so many processes before long; none for 0."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        found = len(marked(mark))
        if found >= count > 0 or found == count:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_a_daemon_ends_with_the_run(number: int, code: int, bench: Bench) -> None:
    mark = str(time.monotonic_ns())
    suite = bench.suite("[{faulty: {how: daemon_and_no_answer}}]", baseline=None)
    words = ("--plugin", "tests.faults.plugin", "--device", "cpu", "--timeout", "100")
    process = bench.start(suite, *words, env={MARK: mark})
    assert soon(4, mark), "the command, the fork server, the cell and the daemon"
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert soon(0, mark), marked(mark)


def test_a_daemon_ends_with_a_fork_server_that_is_stopped(bench: Bench) -> None:
    """The command gives it time to end and kills it then, with all that it started."""
    mark = str(time.monotonic_ns())
    suite = bench.suite("[{faulty: {how: daemon_and_no_answer}}]", baseline=None)
    words = ("--plugin", "tests.faults.plugin", "--device", "cpu", "--timeout", "100")
    process = bench.start(suite, *words, env={MARK: mark})
    assert soon(4, mark)
    (server,) = [int(line.partition(":")[0]) for line in marked(mark) if _parent(line) == process.pid]
    os.kill(server, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143 and soon(0, mark), marked(mark)


def _parent(line: str) -> int:
    stat = Path("/proc", line.partition(":")[0], "stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])
