"""What the command costs before it does anything, in CPU seconds of its own process and its children."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROOT = Path(__file__).resolve().parents[2]


def cpu() -> float:
    """CPU seconds of every child that has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize(
    "words", [["--help"], ["list"], ["validate", str(ROOT / "suites" / "quickstart.yaml")]], ids=str
)
def test_start(benchmark: BenchmarkFixture, words: list[str]) -> None:
    command = [sys.executable, "-m", "harness", *words]
    run = lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: E731
    run()  # describes the plugins where nobody has yet
    spent: list[float] = []

    def once() -> None:
        before = cpu()
        run()
        spent.append(cpu() - before)

    benchmark.pedantic(once, rounds=10)
    benchmark.extra_info["cpu_seconds"] = sorted(spent)[len(spent) // 2]
    print(f"\n{words[0]}: median {sorted(spent)[len(spent) // 2]:.3f} CPU s")
