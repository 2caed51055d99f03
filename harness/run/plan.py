"""Plan of a run: the requested seeds without the stored ones, for resuming as for more or fewer seeds."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.base import Spec, component_name, label
from harness.command_line import placed
from harness.discovery.catalogue import Catalogue, add
from harness.discovery.digests import digest
from harness.results import Reason, ReasonKind
from harness.run.artifacts import Artifact, artifacts
from harness.run.environment import environment, threads_per_cell
from harness.run.looks import join, look
from harness.run.problems import baselines, interleaved_groups
from harness.run.task import Plan, Task
from harness.suite import Cell, Suite

if TYPE_CHECKING:
    from pathlib import Path

    from harness.fields import Json
    from harness.kinds.evaluation import TuningPlan
    from harness.worker.messages import CellData

Components = list[tuple[str, str]]


def plan(
    suite: Suite,
    cells: Sequence[Cell],
    catalogue: Catalogue,
    device: str,
    absent: Collection[str] = (),
    left_out: Sequence[Cell] = (),
    results: Path | None = None,
) -> Plan:
    """Return the tasks for these cells, without stored records.

    `device` is that of cells without a device of their own; those on an `absent` one are skipped. Cells that are
    `left_out` have tasks too, of which nothing is measured. `results` is the folder in which the run is stored.
    """
    tasks: list[Task] = []
    made: dict[str, Artifact] = {}
    threads = threads_per_cell()
    interleaved = bool(catalogue.table["protocol", suite.protocol]["facts"].get("interleaved"))
    every = [*cells, *left_out]
    compared = baselines(suite, every) if interleaved else [None] * len(every)
    for cell, baseline in zip(every, compared, strict=True):
        lost = catalogue.why_lost(cell.parts)
        needed = {} if lost else artifacts(suite, cell, catalogue, cell.device or device)
        if baseline is not None and catalogue.why_lost(baseline):
            baseline = cell.parts
        made |= {artifact.key: artifact for artifact in needed.values()}
        keys = {kind: artifact.key for kind, artifact in needed.items()}
        task = _task(suite, cell, catalogue, keys, cell.device or device, threads, baseline)
        task.lost = lost
        if task.cell["device"] in absent:
            task.skipped = Reason(ReasonKind.NO_DEVICE, name=task.cell["device"])
        task.look = look(task.cell, catalogue, suite.file.parent, placed({**cell.settings, **cell.values}))
        tasks.append(task)
    join([task.look for task in tasks if task.look is not None])
    groups = interleaved_groups(suite, every, tasks) if interleaved else [[task] for task in tasks]
    devices = ", ".join(dict.fromkeys(task.cell["device"] for task in tasks)) or device
    plugins = [source for task in tasks for source in task.sources]
    folder = suite.file.resolve().parent
    surroundings = environment(devices, threads, plugins, folder, results)
    return Plan(tasks[: len(cells)], made, surroundings, groups, interleaved, tasks[len(cells) :], folder)


def _task(
    suite: Suite,
    cell: Cell,
    catalogue: Catalogue,
    made: dict[str, str],
    device: str,
    threads: int,
    baseline: dict[str, Spec] | None,
) -> Task:
    metrics, own = suite.metrics, ("protocol", suite.protocol)
    specs = [*cell.parts.items(), *(baseline or {}).items()]
    parts: Components = [pair for kind, spec in specs for pair in catalogue.used(kind, spec)]
    judges: Components = [pair for spec in metrics.values() for pair in catalogue.used("metric", spec)]
    data: CellData = {
        "vary": cell.vary,
        "parameters": cell.parts,
        "settings": cell.settings,
        "protocol": {"name": suite.protocol, **cell.settings},
        "parts": cell.parts,
        "metrics": metrics,
        "tune": _trials(suite, cell),
        "split": suite.seeds.split,
        "device": device,
        "baseline": baseline or {},
        "revision": cell.revision,
        "values": cell.values,
        "reference": cell.reference,
    }
    read: list[tuple[str, Spec]] = [*specs, ("protocol", data["protocol"])]
    inputs: dict[str, str] = {}
    known = placed({**cell.settings, **cell.values})
    each = [(kind, catalogue.inputs(kind, spec, suite.file.parent, known)) for kind, spec in read]
    for _, found in each:
        add(inputs, found)
    if stats := cell.reference.get("stats"):
        add(inputs, catalogue.file_input("reference.stats", suite.file.parent / str(stats)))
    judged = {name: digest(catalogue.inputs("metric", spec, suite.file.parent)) for name, spec in metrics.items()}
    asked = _identity(data, catalogue, judged, threads, compared=baseline is not None)
    data["id"] = digest({**asked, "artifacts": made, "inputs": inputs})
    return Task(
        cell=data,
        wanted=suite.seeds.seeds,
        sources=catalogue.sources([*parts, *judges, own]),
        artifacts=made,
        digests=judged,
        inputs=inputs,
        parts={kind: digest(found) for kind, found in reversed(each)},
        question=digest(asked),
    )


def _identity(
    cell: CellData, catalogue: Catalogue, judged: Mapping[str, str], threads: int, compared: bool
) -> dict[str, object]:
    """Return what was asked of the cell, without seeds; the baseline if cells are `compared`.

    With the contents of its inputs this is all that its numbers depend on.
    """
    tune = cell["tune"]
    return {
        "protocol": cell["protocol"],
        "version": catalogue.table["protocol", component_name(cell["protocol"])]["facts"]["version"],
        "parts": cell["parts"],
        "tune": tune and {**tune, "metric": judged[tune["metric"]] + tune["metric"]},
        "split": cell["split"],
        "device": cell["device"],
        "threads": threads,
        **({"baseline": cell["baseline"]} if compared else {}),
        **({"values": cell["values"]} if cell["values"] else {}),
        **({"reference": cell["reference"]} if cell["reference"] else {}),
        **({} if cell["revision"] is None else {"revision": cell["revision"]}),
    }


def _trials(suite: Suite, cell: Cell) -> TuningPlan | None:
    """Return the tuning plan of a cell: equally many trials for every contender, drawn without repetition."""
    tune = suite.tune
    if tune is None:
        return None
    axes: list[tuple[str, Sequence[Json]]] = [("lr", tune.lr)] if tune.lr else []
    names = {component_name(spec): label(spec) for spec in cell.parts.values()}
    for key, values in tune.fields.items():
        name, _, field_name = key.rpartition(".")
        own = next((n for n, text in names.items() if name in (n, text)), None)
        if own is not None:
            axes.append((f"{own}.{field_name}", values))
    places: Sequence[int] = range(math.prod(len(values) for _, values in axes))
    if len(places) > tune.trials:
        places = sorted(random.Random(0).sample(places, tune.trials))
    trials = [_choice(axes, place) for place in places]
    return {"trials": trials, "seeds": tune.seeds, "metric": tune.metric or next(iter(suite.metrics))}


def _choice(axes: Sequence[tuple[str, Sequence[Json]]], place: int) -> dict[str, Json]:
    """Return the combination at a place of the grid of all of them, in which the last axis changes fastest."""
    found: list[tuple[str, Json]] = []
    for name, values in reversed(axes):
        place, at = divmod(place, len(values))
        found.append((name, values[at]))
    return dict(reversed(found))
