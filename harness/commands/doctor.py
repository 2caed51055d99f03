"""`bench doctor`: how often timings of equal functions differ on this machine, and the state of its clocks."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from harness import machine
from harness.errors import BenchError
from harness.report.words import reason
from harness.results import Run, Status
from harness.results.codec import dumps
from harness.results.store import write
from harness.run.aa_test import doubled
from harness.run.context import ExecutionConfig
from harness.run.load import RunOptions, load
from harness.run.pipeline import execute_run
from harness.worker.control_groups import problem
from harness.worker.supervisor import Server

ALPHA = 0.05
PAIR = ("one", "other")

SUITE = """
suite: doctor
question: How often do timings on this machine differ where there is no difference?
protocol: speed
vary: {{transform: {{"torch.nn:Softmax": {{dim: -1}}}}}}
settings: {{n: {sizes}, batch: 64, budget: {budget}, target_half_width: 0.02}}
seeds: 200
metrics: seconds
"""


class Rates(TypedDict):
    """Share of A/A pairs that differ significantly: by p and the practical threshold, and by p alone."""

    pairs: int
    alpha: float
    threshold: float
    false_positive_rate: float
    by_p_alone: float


class Clocks(TypedDict):
    """The machine's cores, load and clocks; None if the system does not report it."""

    cores: int
    load: float
    timer_ns: int
    governor: str | None
    mhz: float | None
    throttled: float | None
    gpu: dict[str, str]


class DoctorReport(Rates, Clocks):
    """Report of an examination; `run` is the id of the run that timed the pairs.

    `cgroups` is why cells can have no control groups of the kernel; empty if they can.
    """

    run: str
    cgroups: str


def examine(results: Path, pairs: int, budget: float) -> DoctorReport:
    """Time a function against itself in so many pairs, `budget` seconds for each of the two; store the report."""
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        file = Path(folder) / "doctor.yaml"
        file.write_text(SUITE.format(sizes=[*range(64, 64 + pairs)], budget=budget))
        pair = doubled(load(str(file), RunOptions(), server), "twin", dict.fromkeys(PAIR))
        run = execute_run(pair, ExecutionConfig(results, fresh=True), server)
    if not any(cell.status is Status.OK for cell in run.cells):
        why = run.cells[0].why
        raise BenchError(f"no pair could be timed: {reason(why) if why else 'no reason given'}")
    report: DoctorReport = {"run": run.run, "cgroups": problem(), **judged(run), **_clocks()}
    write(results / "doctor.json", dumps(report))
    return report


def judged(run: Run) -> Rates:
    """Return the share of A/A pairs that differ, each tested alone: by p and the practical threshold, by p alone."""
    least = run.primary.relative_margin or 0.0
    found = [entry for cell in run.cells if (entry := cell.against.get("seconds")) and entry.p is not None]
    sure = [entry.ratio.ratio for entry in found if entry.ratio and entry.p is not None and entry.p <= ALPHA]
    apart = [ratio for ratio in sure if abs(ratio - 1) > least]
    pairs = max(1, len(found))
    return {
        "pairs": len(found),
        "alpha": ALPHA,
        "threshold": least,
        "false_positive_rate": len(apart) / pairs,
        "by_p_alone": len(sure) / pairs,
    }


def _clocks() -> Clocks:
    every = [*range(machine.cores())]
    ticks = [time.perf_counter_ns() for _ in range(10_000)]
    steps = sorted({after - before for before, after in itertools.pairwise(ticks)} - {0})
    return {
        "cores": len(every),
        "load": os.getloadavg()[0],
        "timer_ns": steps[0],
        "governor": machine.governor(every),
        "mhz": machine.known(machine.megahertz(every)),
        "throttled": machine.known(machine.throttles(every)),
        "gpu": dict(machine.gpu()),
    }


def lines(report: DoctorReport) -> Iterator[str]:
    """Yield the report in words."""
    rate, pairs = report["false_positive_rate"], report["pairs"]
    fit = (
        "fit to compare times" if rate <= report["alpha"] else "too noisy to compare times: wait until it is less busy"
    )
    yield f"this machine is {fit}"
    yield (
        f"timings of equal functions differ significantly in {rate:.1%} of {pairs} pairs "
        f"at alpha {report['alpha']:.0%} (by p alone, "
        f"without the threshold of {report['threshold']:.0%}, in {report['by_p_alone']:.1%})"
    )
    yield f"timer step {report['timer_ns']} ns, load {report['load']:.1f} on {report['cores']} cores"
    yield f"governor {report['governor'] or 'unknown'}, clock {_or_unknown(report['mhz'], '{:.0f} MHz')}"
    yield f"throttled {_or_unknown(report['throttled'], '{:.0f} times')} since it was started"
    yield f"--cgroups cannot be used: {report['cgroups']}" if report["cgroups"] else "--cgroups can be used"
    yield ", ".join(f"{key} {value}" for key, value in report["gpu"].items()) or "no GPU"


def _or_unknown(value: float | None, form: str) -> str:
    return "unknown" if value is None else form.format(value)
