"""What a call costs: a median time, and the memory held at its peak."""

from __future__ import annotations

import contextlib
import ctypes
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

LONG_ENOUGH = 0.02
ROUNDS = 7
ENOUGH = 2.0
"""Seconds after which three rounds are enough."""


def seconds(call: Callable[[], object], device: str) -> float:
    """The median over rounds of the mean time of a call; a round lasts long enough for the clock to be exact.

    Seven rounds, or three of what is slow.
    """
    times = 1
    while (spent := _round(call, times, device)) < LONG_ENOUGH and times < 1_000_000:
        times = max(2 * times, int(times * LONG_ENOUGH / max(spent, 1e-9)))
    rounds: list[float] = []
    while len(rounds) < 3 or (len(rounds) < ROUNDS and sum(rounds) < ENOUGH):
        rounds.append(_round(call, times, device))
    return statistics.median(rounds) / times


def _round(call: Callable[[], object], times: int, device: str) -> float:
    _finish(device)
    start = time.perf_counter()
    for _ in range(times):
        call()
    _finish(device)
    return time.perf_counter() - start


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def peak_bytes(call: Callable[[], object], device: str) -> float:
    """Bytes held at the peak beyond those held before; NaN where the system does not tell.

    On a GPU what torch allocates; on Linux the peak of the resident memory, which is exact to some hundred kilobytes.
    """
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return torch.cuda.max_memory_allocated() - before
    try:
        _give_back()
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        call()
        return max(0, _status("VmHWM") - before) * 1024
    except (OSError, StopIteration):
        return float("nan")


def _give_back() -> None:
    """Freed memory that the allocator keeps would hide what a call takes: it goes back to the system."""
    with contextlib.suppress(AttributeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _status(key: str) -> int:
    """Kilobytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])
