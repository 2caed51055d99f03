"""What is wanted minus what is stored: resuming, more seeds and fewer seeds are the same subtraction."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.base import label
from harness.catalogue import Catalogue
from harness.environment import environment, threads_per_cell
from harness.making import Artifact, artifacts, digest
from harness.sources import Source
from harness.suite import Cell, Suite

Components = list[tuple[str, str]]


@dataclass
class Task:
    """One cell of a run: what its process is told, what is stored of it, which seeds are missing."""

    cell: dict[str, Any]
    wanted: tuple[int, ...]
    sources: list[Source]
    artifacts: dict[str, str]
    digests: dict[str, str]
    records: list[dict[str, Any]] = field(default_factory=list)
    tuned: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """The digest of everything that could change the cell's numbers, seeds left out."""
        return str(self.cell["id"])

    @property
    def missing(self) -> list[int]:
        """Wanted seeds that no record has."""
        stored = {seed for record in self.records for seed in record["seeds"]}
        return [seed for seed in self.wanted if seed not in stored]

    def accept(self, record: dict[str, Any], environment: str) -> None:
        """Take a stored record of this cell into account, where it was measured here and has every metric."""
        if record["status"] != "ok" or record["environment"] != environment:
            return
        if record["block"] == "tune":
            self.tuned = record["tuned"]
        elif all(record["digests"].get(name) == digest for name, digest in self.digests.items()):
            self.records.append(record)


@dataclass(frozen=True)
class Plan:
    """The tasks of a run in the order of the suite, and the artifacts they share."""

    tasks: list[Task]
    artifacts: dict[str, Artifact]
    environment: dict[str, Any]

    @property
    def digest(self) -> str:
        """What of the environment decides whether stored numbers may be reused."""
        return digest({k: v for k, v in self.environment.items() if k not in ("commit", "plugins")})


def plan(suite: Suite, cells: Iterable[Cell], catalogue: Catalogue, device: str) -> Plan:
    """The tasks for these cells, nothing stored taken into account yet."""
    tasks: list[Task] = []
    made: dict[str, Artifact] = {}
    threads = threads_per_cell()
    for cell in cells:
        needed = artifacts(suite, cell, catalogue, device)
        made |= {artifact.key: artifact for artifact in needed.values()}
        keys = {kind: artifact.key for kind, artifact in needed.items()}
        tasks.append(_task(suite, cell, catalogue, keys, device, threads))
    return Plan(tasks, made, environment(device, threads, [source for task in tasks for source in task.sources]))


def _task(suite: Suite, cell: Cell, catalogue: Catalogue, made: dict[str, str], device: str, threads: int) -> Task:
    protocol = {"name": suite.protocol, **cell.settings}
    measure = {label(spec): spec for spec in suite.measure}
    parts: Components = [pair for kind, spec in cell.parts.items() for pair in catalogue.used(kind, spec)]
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
