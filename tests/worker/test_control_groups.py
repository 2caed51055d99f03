"""Control groups of the kernel: a limit that no process outruns, and an end that none escapes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import BenchError
from harness.worker import control_groups
from tests.conftest import Bench

PROBLEM = control_groups.problem()
pytestmark = [pytest.mark.verify, pytest.mark.skipif(bool(PROBLEM), reason=PROBLEM)]
PLUGIN = """
import subprocess
from pathlib import Path

from harness import Loss, hookimpl


class Leaves(Loss):
    \"\"\"Starts a process that leaves its session and its environment.\"\"\"

    def __call__(self, logits, target):
        process = subprocess.Popen(["/bin/sleep", "600"], env={}, start_new_session=True)
        Path(__file__).with_name(f"{process.pid}.pid").touch()
        return logits.logsumexp(-1) - logits[:, 0]


class Swells(Loss):
    \"\"\"Takes 2 GiB.\"\"\"

    def __call__(self, logits, target):
        bytearray(2 << 30)
        return logits.logsumexp(-1) - logits[:, 0]


@hookimpl
def components():
    return [Leaves, Swells]
"""
SUITE = """
protocol: accuracy
vary: {dataset: iris, model: linear, loss: [cross_entropy, %s]}
settings: {epochs: 1}
seeds: 2
metrics: accuracy
"""


def states(bench: Bench, loss: str, *words: str) -> dict[str, tuple[str, str | None]]:
    bench.write("odd.py", PLUGIN)
    ended = bench(bench.write("s.yaml", SUITE % loss), "--plugin", "odd.py", "--cgroups", *words, "--json", "-")
    return {row["vary"]["loss"]: (row["status"], row["reason"]) for row in ended.json["cells"]}


def test_the_kernel_ends_what_takes_more_memory_than_it_may() -> None:
    group = control_groups.ControlGroup(memory=200 << 20)
    takes = "import sys; sys.stdin.readline(); len(b'x' * (600 << 20))"
    with subprocess.Popen([sys.executable, "-c", takes], stdin=subprocess.PIPE) as process:
        group.add(process.pid)
        assert not group.is_exhausted()
        process.communicate(b"now\n")
    assert process.returncode == -signal.SIGKILL and group.is_exhausted()
    group.close()


def test_a_cell_that_takes_more_memory_than_it_may_is_out_of_memory(bench: Bench) -> None:
    found = states(bench, "swells", "--memory", "1024")
    assert found["cross_entropy"][0] == "ok"
    assert found["swells"][0] == "oom" and "MiB" in str(found["swells"][1])


def test_a_process_that_leaves_session_and_environment_ends_with_its_cell(bench: Bench) -> None:
    states(bench, "leaves")
    pids = [int(file.stem) for file in bench.folder.glob("*.pid")]
    assert pids
    limit = time.monotonic() + 10
    while any(
        Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text() for pid in pids
    ):
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_no_group_is_left_behind() -> None:
    group = control_groups.ControlGroup(memory=1 << 30)
    paths = [Path(path) for path in group._group.paths]
    assert paths and all(path.is_dir() for path in paths)
    group.close()
    assert not any(path.exists() for path in paths)


def test_where_the_library_is_missing_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchexec.cgroups", None)
    control_groups._system.cache_clear()
    with pytest.raises(BenchError, match=r"need the extra cgroups: pip install touchstone-bench\[cgroups\]"):
        control_groups.ControlGroup()
    control_groups._system.cache_clear()
