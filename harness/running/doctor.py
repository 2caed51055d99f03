"""`bench doctor`: how often this machine tells a function from itself, and what there is to know of its clocks."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import machine
from harness.engines.local import Server
from harness.errors import BenchError
from harness.planning.record import write
from harness.running.preparation import Wishes, prepare
from harness.running.runner import conduct
from harness.running.site import Conditions
from harness.running.twins import doubled

ALPHA = 0.05
TWINS = ("one", "other")

SUITE = """
suite: doctor
question: How often does this machine tell a function from itself?
protocol: speed
vary: {{transform: "torch:sigmoid"}}
settings: {{n: {sizes}, batch: 64, budget: {budget}, half_width: 0.02}}
seeds: 200
measure: seconds
"""


def examine(results: Path, pairs: int, budget: float) -> dict[str, Any]:
    """Time a function against itself in so many pairs, `budget` seconds for each of the two; the opinion is kept."""
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        file = Path(folder) / "doctor.yaml"
        file.write_text(SUITE.format(sizes=[*range(64, 64 + pairs)], budget=budget))
        twins = doubled(prepare(str(file), Wishes(), server), "twin", dict.fromkeys(TWINS))
        result = conduct(twins, Conditions(results, fresh=True), server).data
    if not any(cell["status"] == "ok" for cell in result["cells"]):
        raise BenchError(f"no pair could be timed: {result['cells'][0]['reason']}")
    opinion = {"run": result["run"], **judged(result), **_clocks()}
    write(results / "doctor.json", json.dumps(opinion, indent=2) + "\n")
    return opinion


def judged(result: Mapping[str, Any]) -> dict[str, Any]:
    """How often the twins were told apart, each pair for itself: by its p and the practical threshold, by p alone."""
    least = result["measure"][0]["ratio"]
    found = [entry for cell in result["cells"] if (entry := cell["against"].get("seconds")) and entry["p"] is not None]
    sure = [entry["ratio"]["ratio"] for entry in found if entry["p"] <= ALPHA]
    apart = [ratio for ratio in sure if abs(ratio - 1) > least]
    pairs = max(1, len(found))
    rates = {"false_positive_rate": len(apart) / pairs, "by_p_alone": len(sure) / pairs}
    return {"pairs": len(found), "alpha": ALPHA, "threshold": least, **rates}


def _clocks() -> dict[str, Any]:
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
        "gpu": machine.gpu(),
    }


def lines(opinion: Mapping[str, Any]) -> Iterator[str]:
    """The opinion in words."""
    rate, pairs = opinion["false_positive_rate"], opinion["pairs"]
    fit = "fit to compare times" if rate <= opinion["alpha"] else "unfit to compare times: wait until it is less busy"
    yield f"this machine is {fit}"
    yield (
        f"a function told from itself in {rate:.1%} of {pairs} pairs at alpha {opinion['alpha']:.0%} "
        f"(by p alone, without the threshold of {opinion['threshold']:.0%}, in {opinion['by_p_alone']:.1%})"
    )
    yield f"timer step {opinion['timer_ns']} ns, load {opinion['load']:.1f} on {opinion['cores']} cores"
    yield f"governor {opinion['governor'] or 'unknown'}, clock {_or_unknown(opinion['mhz'], '{:.0f} MHz')}"
    yield f"throttled {_or_unknown(opinion['throttled'], '{:.0f} times')} since it was started"
    yield ", ".join(f"{key} {value}" for key, value in opinion["gpu"].items()) or "no GPU"


def _or_unknown(value: float | None, form: str) -> str:
    return "unknown" if value is None else form.format(value)
