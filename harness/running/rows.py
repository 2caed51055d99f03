"""What the analysis is told of one task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import Failure
from harness.planning.tasks import Task
from harness.running.site import no_path


def row(task: Task, failure: Failure | None, units: Path) -> dict[str, Any]:
    """The values of the wanted seeds, in their order; `units` is the folder of what is kept beside records."""
    failure = Failure("skipped", task.skipped) if task.skipped else failure
    by_seed = {seed: (record, place) for record in task.records for place, seed in enumerate(record["seeds"])}
    seeds = [seed for seed in task.wanted if seed in by_seed]
    found = [by_seed[seed] for seed in seeds]
    used = list({id(record): record for record, _ in found}.values())
    names = [name for name in task.digests if all(record["metrics"][name] for record in used)]
    bounded = [name for name in names if all(name in record.get("bootstrap", {}) for record in used)]
    return {
        "id": task.id,
        "vary": task.cell["vary"],
        "parameters": task.cell["parameters"],
        "tuned": (task.tuned or {}).get("tuned", {}),
        "status": failure.status if failure else "ok",
        "reason": no_path(failure.reason) if failure else None,
        "seconds": sum(record["seconds"] / len(record["seeds"]) for record, _ in found),
        "peak_bytes": max((record["peak_bytes"] for record in used), default=None),
        "seeds": seeds,
        "metrics": {name: [record["metrics"][name][place] for record, place in found] for name in names},
        "bootstrap": {
            name: {end: [record["bootstrap"][name][end][place] for record, place in found] for end in ("low", "high")}
            for name in bounded
        },
        "unranked": next((record["unranked"] for record in used if record.get("unranked")), None),
        "units": [str(units / r["units"]) for r in used if r["units"]],
        "notes": list(dict.fromkeys(note for r in used for note in r["notes"])),
        "warnings": list(dict.fromkeys(line for r in used for line in r.get("warnings", ()))),
    }
