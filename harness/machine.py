"""State of the machine during timing: its cores, load, clock and throttling, and which of it makes times unreliable."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from harness.results import Issue, IssueKind, Json, Weakness

T = TypeVar("T")

CPU = Path("/sys/devices/system/cpu")
CLOCKS = ("clocks.sm", "clocks.max.sm")
NO_GPU: Mapping[str, str] = MappingProxyType({})
SHARE, SPREAD = 0.9, 0.1
"""A process with a smaller share of its core than SHARE, or a clock that varies by more than SPREAD, is reported."""


def allowed() -> list[int]:
    """Return the cores this process may run on; empty if the system cannot restrict them."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(allowed()) or os.cpu_count() or 1


def versions() -> dict[str, str | None]:
    """Return what numbers depend on whatever is measured: the versions of Python and libraries, machine and system."""
    return {
        "python": platform.python_version(),
        "torch": _version("torch"),
        "numpy": _version("numpy"),
        "machine": platform.machine(),
        "system": platform.system(),
    }


def _version(distribution: str) -> str | None:
    try:
        return version(distribution).split("+")[0]
    except PackageNotFoundError:
        return None


def same_addresses() -> Sequence[str]:
    """Return words that start a command at the same addresses every time; none if the system has no such feature.

    The memory layout alone changes the time of a short call by half a percent from one process to the next.
    """
    words = ("setarch", "-R")
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        subprocess.run([*words, "true"], check=True, capture_output=True)
        return words
    return ()


def settle(cores: Sequence[int], threads: int, turn: int) -> None:
    """Restrict every thread of this process to as many cores as there are threads, to other cores in every turn.

    An unpinned process returns to the core it was on, and contenders on different cores differ for as long as
    another process keeps one of them busy. In turns all use the same cores, one after the other.
    """
    chosen = [cores[(turn + k) % len(cores)] for k in range(min(threads, len(cores)))] if cores else []
    for thread in os.listdir("/proc/self/task") if chosen else ():
        with contextlib.suppress(OSError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread), chosen)


class Watch:
    """Records of every turn: the share of its time in which a single-threaded process ran, load, clock, throttling.

    NaN if the system does not report it.
    """

    def __init__(self, cores: Sequence[int], threads: int, device: str) -> None:
        self._cores, self._alone = cores, threads == 1 and device == "cpu"
        self._throttled = throttles(cores)

    def during(self, work: Callable[[], T]) -> tuple[T, dict[str, list[float]]]:
        """Run the work and return its result and the records."""
        wall, processor = time.perf_counter(), time.process_time()
        answer = work()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return answer, {
            "share": [processor / wall if self._alone else float("nan")],
            "load": [os.getloadavg()[0]],
            "mhz": [megahertz(self._cores)],
            "throttled": [throttles(self._cores) - self._throttled],
        }


def megahertz(cores: Sequence[int]) -> float:
    """Return the clock of the first core, in MHz."""
    return _number(CPU / f"cpu{cores[0]}" / "cpufreq" / "scaling_cur_freq") / 1e3 if cores else float("nan")


def governor(cores: Sequence[int]) -> str | None:
    """Return the governor that sets the clock of the first core; None if the system does not report it."""
    with contextlib.suppress(OSError, IndexError):
        return (CPU / f"cpu{cores[0]}" / "cpufreq" / "scaling_governor").read_text().strip()
    return None


def throttles(cores: Sequence[int]) -> float:
    """Return how often the cores were throttled since the machine was started."""
    return sum(_number(CPU / f"cpu{core}" / "thermal_throttle" / "core_throttle_count") for core in cores)


def known(number: float) -> float | None:
    """Return the number, or None for NaN."""
    return None if math.isnan(number) else number


def gpu() -> dict[str, str]:
    """Return the GPU's clocks and the reasons for limiting them, from `nvidia-smi`; empty if there is none."""
    names = (*CLOCKS, "clocks_throttle_reasons.active", "power.draw", "temperature.gpu")
    command = ["nvidia-smi", f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits", "--id=0"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        return dict(zip(names, (word.strip() for word in said.split(",")), strict=True))
    return {}


IDLE, BY_CHOICE = 0x1, 0x2
"""Bits of NVML's clock reasons that are no throttling: idle, and clocks set by the user."""


def gpu_is_throttled(said: Mapping[str, str]) -> bool:
    """Return whether heat or power limits the GPU's clock."""
    reasons = int(said.get("clocks_throttle_reasons.active", "0x0"), 16)
    return bool(reasons & ~(IDLE | BY_CHOICE))


def weaknesses(
    notes: Sequence[Mapping[str, Sequence[float | None]]], cores: int, gpu: Mapping[str, str] = NO_GPU
) -> list[Issue]:
    """Return issues for all records that make the times unreliable; `gpu` is the GPU's state at the end."""
    known = {name: [v for note in notes for v in note[name] if v is not None and v == v] for name in notes[0]}
    found = []
    if known["share"] and (share := statistics.median(known["share"])) < SHARE:
        found.append(_weak(Weakness.CORE_SHARE, share))
    if known["load"] and (load := statistics.median(known["load"])) > cores:
        found.append(_weak(Weakness.LOAD, load, cores))
    if known["mhz"] and max(known["mhz"]) - min(known["mhz"]) > SPREAD * max(known["mhz"]):
        found.append(_weak(Weakness.CLOCK, min(known["mhz"]), max(known["mhz"])))
    if any(known["throttled"]):
        found.append(_weak(Weakness.THROTTLED))
    if gpu_is_throttled(gpu):
        found.append(_weak(Weakness.GPU_THROTTLED, float(gpu["clocks.sm"])))
    return found


def _weak(name: Weakness, value: float | None = None, bound: float | None = None) -> Issue:
    return Issue(IssueKind.WEAK_TIMING, name=name, value=value, bound=bound)


def doctor_report(results: Path) -> dict[str, Json] | None:
    """Return the last report of `bench doctor` on this machine, as runs store it; None if it was never run."""
    kept = ("run", "pairs", "alpha", "false_positive_rate")
    with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
        said = json.loads((results / "doctor.json").read_bytes())
        return {key: said[key] for key in kept}
    return None


def noise(report: Mapping[str, Json] | None) -> list[Issue]:
    """Return an issue if `bench doctor` found significant differences between equal functions too often."""
    if report is None:
        return []
    rate, alpha, pairs = (report[key] for key in ("false_positive_rate", "alpha", "pairs"))
    if not isinstance(rate, float) or not isinstance(alpha, float) or rate <= alpha:
        return []
    count = pairs if isinstance(pairs, int) else None
    return [Issue(IssueKind.NOISY_MACHINE, name=str(report["run"]), value=rate, bound=alpha, count=count)]


def _number(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return float("nan")
