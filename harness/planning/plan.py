"""What is wanted minus what is stored: resuming, more seeds and fewer seeds are the same subtraction."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from harness.base import Spec, label
from harness.discovery.catalogue import Catalogue
from harness.discovery.digests import digest
from harness.planning.environment import environment, threads_per_cell
from harness.planning.making import Artifact, artifacts
from harness.planning.problems import baselines, together
from harness.planning.tasks import Plan, Task
from harness.suite import Cell, Suite

Components = list[tuple[str, str]]
EVERYWHERE: Mapping[str, str] = MappingProxyType({})
"""No device is absent."""


def plan(
    suite: Suite, cells: Sequence[Cell], catalogue: Catalogue, device: str, absent: Mapping[str, str] = EVERYWHERE
) -> Plan:
    """The tasks for these cells, nothing stored taken into account yet.

    `device` is that of cells without a device of their own; those on an `absent` one are skipped, with its reason.
    """
    tasks: list[Task] = []
    made: dict[str, Artifact] = {}
    threads = threads_per_cell()
    lockstep = bool(catalogue.table["protocol", suite.protocol]["facts"].get("lockstep"))
    compared = baselines(suite, cells) if lockstep else [None] * len(cells)
    for cell, baseline in zip(cells, compared, strict=True):
        needed = artifacts(suite, cell, catalogue, cell.device or device)
        made |= {artifact.key: artifact for artifact in needed.values()}
        keys = {kind: artifact.key for kind, artifact in needed.items()}
        task = _task(suite, cell, catalogue, keys, cell.device or device, threads, baseline)
        task.skipped = absent.get(task.cell["device"])
        tasks.append(task)
    groups = together(suite, cells, tasks) if lockstep else [[task] for task in tasks]
    devices = ", ".join(dict.fromkeys(task.cell["device"] for task in tasks)) or device
    surroundings = environment(devices, threads, [source for task in tasks for source in task.sources])
    return Plan(tasks, made, surroundings, groups, lockstep)


def _task(
    suite: Suite,
    cell: Cell,
    catalogue: Catalogue,
    made: dict[str, str],
    device: str,
    threads: int,
    baseline: dict[str, Spec] | None,
) -> Task:
    protocol = {"name": suite.protocol, **cell.settings}
    measure = {label(spec): spec for spec in suite.measure}
    specs = [*cell.parts.items(), *(baseline or {}).items()]
    parts: Components = [pair for kind, spec in specs for pair in catalogue.used(kind, spec)]
    tune = _trials(suite, cell)
    identity = {
        "protocol": protocol,
        "version": catalogue.table["protocol", suite.protocol]["facts"]["version"],
        "parts": cell.parts,
        "syntax": sorted({catalogue.digest(*pair) for pair in (*parts, ("protocol", suite.protocol))}),
        "artifacts": made,
        "tune": tune and {**tune, "on": catalogue.digest("metric", measure[tune["on"]]["name"]) + tune["on"]},
        "split": suite.seeds.split,
        "device": device,
        "threads": threads,
        **({} if baseline is None else {"baseline": baseline}),
        **({} if cell.revision is None else {"revision": cell.revision}),
    }
    metrics: Components = [pair for spec in measure.values() for pair in catalogue.used("metric", spec)]
    data = {
        "id": digest(identity),
        "vary": cell.vary,
        "parameters": cell.parts,
        "protocol": protocol,
        "parts": cell.parts,
        "measure": measure,
        "tune": tune,
        "split": suite.seeds.split,
        "device": device,
        "baseline": baseline or {},
        "revision": cell.revision,
    }
    return Task(
        cell=data,
        wanted=suite.seeds.seeds,
        sources=catalogue.sources([*parts, *metrics, ("protocol", suite.protocol)]),
        artifacts=made,
        digests={name: catalogue.digest("metric", spec["name"]) for name, spec in measure.items()},
    )


def _trials(suite: Suite, cell: Cell) -> dict[str, Any] | None:
    """The tuning plan of a cell: as many trials for every contender, drawn without repeats where there are more."""
    tune = suite.tune
    if tune is None:
        return None
    choices: list[dict[str, Any]] = [{"lr": lr} for lr in tune.lr] or [{}]
    names = {spec["name"]: label(spec) for spec in cell.parts.values()}
    for key, values in tune.fields.items():
        name, _, field_name = key.rpartition(".")
        own = next((n for n, text in names.items() if name in (n, text)), None)
        if own is not None:
            choices = [{**choice, f"{own}.{field_name}": value} for choice in choices for value in values]
    if len(choices) > tune.trials:
        drawn = random.Random(0).sample(range(len(choices)), tune.trials)
        choices = [choices[place] for place in sorted(drawn)]
    return {"trials": choices, "seeds": tune.seeds, "on": tune.on or label(suite.measure[0])}


def seconds_per_seed(records: Iterable[Mapping[str, Any]]) -> float | None:
    """What a seed has cost so far on average, for the estimate of a dry run."""
    costs = [r["seconds"] / len(r["seeds"]) for r in records if r.get("seeds") and r["status"] == "ok"]
    return math.fsum(costs) / len(costs) if costs else None
