"""The end of processes that a program leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OTHERS = """
import os, time
from harness.processes import children, end_children
read, write = os.pipe()
pids = []
for user in (1234, 4321):
    pids.append(os.fork())
    if pids[-1] == 0:
        os.setuid(user)
        os.write(write, b".")
        time.sleep(30)
os.read(read, 1), os.read(read, 1)
os.setuid(1234)
end_children()
assert children() == {pids[1]}, children()
"""


@pytest.mark.verify
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start another user's process")
def test_another_users_process_is_left_and_holds_nothing_up() -> None:
    assert subprocess.run([sys.executable, "-c", OTHERS], cwd=ROOT, timeout=25).returncode == 0
