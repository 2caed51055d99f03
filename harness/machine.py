"""The machine while it is timed: its cores, load, clock and throttling, and what of that makes times weak."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from harness.results import Issue, IssueKind, Json, Weakness

T = TypeVar("T")

CPU = Path("/sys/devices/system/cpu")
CLOCKS = ("clocks.sm", "clocks.max.sm")
NO_GPU: Mapping[str, str] = MappingProxyType({})
SHARE, SPREAD = 0.9, 0.1
"""A process that has less of its core than SHARE, or a clock that moves by more than SPREAD, makes times weak."""


def allowed() -> list[int]:
    """The cores this process may run on; empty where nobody can choose."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def cores() -> int:
    """How many cores this process may use."""
    return len(allowed()) or os.cpu_count() or 1


def same_addresses() -> Sequence[str]:
    """Words that start a command at the same addresses every time; none where the system has no such thing.

    Where it lies in memory alone changes the time of a short call by half a per cent from one process to the next.
    """
    words = ("setarch", "-R")
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        subprocess.run([*words, "true"], check=True, capture_output=True)
        return words
    return ()


def settle(cores: Sequence[int], threads: int, turn: int) -> None:
    """Run every thread of this process on as many of the cores as there are threads, on others in every turn.

    Left alone a process goes back to the core it was on, and contenders on different cores differ for as long as
    somebody else keeps one of them busy. In turns all take the same cores, one after the other.
    """
    chosen = [cores[(turn + k) % len(cores)] for k in range(min(threads, len(cores)))] if cores else []
    for thread in os.listdir("/proc/self/task") if chosen else ():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread), chosen)


class Watch:
    """What is noted of every turn: the share of its time in which a process of one thread ran, load, clock, throttling.

    NaN where the system does not say.
    """

    def __init__(self, cores: Sequence[int], threads: int, device: str) -> None:
        self._cores, self._alone = cores, threads == 1 and device == "cpu"
        self._throttled = throttles(cores)

    def during(self, work: Callable[[], T]) -> tuple[T, dict[str, list[float]]]:
        """What the work answers, and the notes."""
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
    """The clock of the first of the cores."""
    return _number(CPU / f"cpu{cores[0]}" / "cpufreq" / "scaling_cur_freq") / 1e3 if cores else float("nan")


def governor(cores: Sequence[int]) -> str | None:
    """Who decides about the clock of the first of the cores."""
    with contextlib.suppress(OSError, IndexError):
        return (CPU / f"cpu{cores[0]}" / "cpufreq" / "scaling_governor").read_text().strip()
    return None


def throttles(cores: Sequence[int]) -> float:
    """How often the cores were throttled since the machine was started."""
    return sum(_number(CPU / f"cpu{core}" / "thermal_throttle" / "core_throttle_count") for core in cores)


def known(number: float) -> float | None:
    """The number, None for NaN."""
    return None if math.isnan(number) else number


def gpu() -> dict[str, str]:
    """The GPU's clocks and why it holds them back, as `nvidia-smi` says it; empty where there is none."""
    names = (*CLOCKS, "clocks_throttle_reasons.active", "power.draw", "temperature.gpu")
    command = ["nvidia-smi", f"--query-gpu={','.join(names)}", "--format=csv,noheader,nounits", "--id=0"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        return dict(zip(names, (word.strip() for word in said.split(",")), strict=True))
    return {}


IDLE, BY_CHOICE = 0x1, 0x2
"""Bits of NVML's reasons that are no throttling: nothing to do, and clocks that the user set."""


def gpu_is_throttled(said: Mapping[str, str]) -> bool:
    """Whether heat or power holds the GPU back."""
    reasons = int(said.get("clocks_throttle_reasons.active", "0x0"), 16)
    return bool(reasons & ~(IDLE | BY_CHOICE))


def weaknesses(
    notes: Sequence[Mapping[str, Sequence[float | None]]], cores: int, gpu: Mapping[str, str] = NO_GPU
) -> list[Issue]:
    """What was seen in any turn that makes the times weak; `gpu` is what is said of the GPU at the end."""
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
    """What `bench doctor` last found about this machine, as runs refer to it; None where it was never run."""
    kept = ("run", "pairs", "alpha", "false_positive_rate")
    with contextlib.suppress(OSError, ValueError):
        said = json.loads((results / "doctor.json").read_bytes())
        return {key: said[key] for key in kept}
    return None


def noise(report: Mapping[str, Json] | None) -> list[Issue]:
    """An issue where the doctor found that the machine tells equal functions apart too often."""
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
