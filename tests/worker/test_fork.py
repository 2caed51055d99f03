"""Work in a copy of the process: its answer, its exception, its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.worker.fork import forked

ROOT = Path(__file__).resolve().parents[2]


def test_the_answer_comes_back_and_nothing_else_does() -> None:
    seen: list[int] = []
    assert forked(lambda: (seen.append(os.getpid()), seen[0])[1]) != os.getpid()
    assert seen == []


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        forked(lambda: 1 // 0)


class Pair(Exception):
    """Its arguments are not those that pickle calls it with."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


def _raise_pair() -> None:
    raise Pair("this", "that")


def test_an_exception_that_cannot_be_made_again_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"^Pair: this and that$"):
        forked(_raise_pair)


@pytest.mark.parametrize(("end", "code"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9)])
def test_where_the_copy_just_ends_the_process_ends_so_too(end: str, code: int) -> None:
    script = f"import os; from harness.worker.fork import forked; forked(lambda: {end}); os._exit(0)"
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=60)
    assert ended.returncode == code
