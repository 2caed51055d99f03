"""Peak memory of a call."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable
from pathlib import Path

import torch


def peak_memory(call: Callable[[], object], device: str) -> float:
    """Return the bytes held at the peak beyond those held before; NaN if the system does not report them.

    On a GPU, torch's allocations; on Linux, the peak of the resident memory, exact to some hundred kilobytes.
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
    """Return freed memory from the allocator to the system, since it would hide the memory of a call."""
    with contextlib.suppress(AttributeError):  # other C libraries have no such function
        ctypes.CDLL(None).malloc_trim(0)


def _status(key: str) -> int:
    """Return a field of the process status, in kilobytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])


def reserved_memory(call: Callable[[], object], device: str) -> float | None:
    """Return the bytes of a GPU that torch reserves at the peak, in use or cached; None elsewhere."""
    if device != "cuda":
        return None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    call()
    return torch.cuda.max_memory_reserved()
