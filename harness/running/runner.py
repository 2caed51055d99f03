"""A run from suite to result: artifacts made, cells measured block by block, records kept, the result analysed."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness import machine
from harness.base import label
from harness.engines.local import Server
from harness.errors import BenchError, Failure
from harness.planning.plan import plan
from harness.planning.record import Store, write, writing
from harness.planning.tasks import Plan
from harness.report.result import Result
from harness.running.confirming import confirmed
from harness.running.ending import ended
from harness.running.measuring import Measuring
from harness.running.preparation import Prepared, Wishes, chosen_device, prepare
from harness.running.site import Conditions, Site
from harness.suite import Suite

FACTS = ("better", "unit", "floor", "caution", "ratio")
"""What a report says of a metric beside its label."""


def run(
    path: str | Path,
    *,
    plugins: Sequence[str] = (),
    seeds: int | None = None,
    results: str | Path = "results",
    device: str | None = None,
    overrides: Mapping[str, str] | None = None,
    timeout: float = 3600.0,
) -> Result:
    """Run a suite and return its result: the same content as `bench SUITE --json`.

    `plugins` are files or modules; `seeds` and `overrides` replace what the suite says. Raises BenchError for mistakes
    in the suite or a plugin; a cell that fails is a row of the result.
    """
    said = dict(overrides or {}) | ({"seeds": str(seeds)} if seeds is not None else {})
    said |= {"device": device} if device else {}
    with Server() as server:
        prepared = prepare(str(path), Wishes(plugins=plugins, overrides=said, timeout=timeout), server)
        where = chosen_device(prepared.suite.device, server)
        return conduct(prepared, Conditions(Path(results), device=where, timeout=timeout), server)


def planned(prepared: Prepared, conditions: Conditions) -> Plan:
    """The plan of a run with everything stored taken into account."""
    whole = plan(prepared.suite, prepared.cells, prepared.catalogue, conditions.device, prepared.absent)
    if not conditions.fresh:
        whole.accept(Store(conditions.results, "").all())
    return whole


def conduct(prepared: Prepared, conditions: Conditions, server: Server, fail_on: Sequence[str] = ()) -> Result:
    """Measure what is missing, analyse everything, and keep the result under the results folder.

    `fail_on` names conditions on the finished result that end the run with exit code 1, as a broken gate does.
    """
    started = time.monotonic()
    whole = planned(prepared, conditions)
    identity = _new_run(conditions.results, prepared.suite.name)
    data = _measured(prepared, conditions, whole, identity, server)
    data["gates"] = confirmed(data, partial(_afresh, prepared, conditions, identity, server))
    data["exit"] = ended(data, fail_on)
    data |= {"seconds": time.monotonic() - started, "published": prepared.suite.published}
    result, folder = Result(data), conditions.results / "runs" / identity
    with writing(folder):
        (folder / "suite.yaml").write_bytes(prepared.suite.file.read_bytes())
    write(folder / "result.json", result.to_json())
    return result


def _measured(prepared: Prepared, conditions: Conditions, whole: Plan, identity: str, server: Server) -> dict[str, Any]:
    """The Result JSON of the cells, after everything missing was measured."""
    conditions.listener.expect(whole.tasks, still=whole.lockstep)
    folder = prepared.suite.file.parent.resolve()
    run = Site(identity, folder, whole, conditions, server, Store(conditions.results, identity))
    try:
        rows = Measuring(run).rows()
    finally:
        run.store.close()
    return _analyse(prepared, whole, rows, identity, conditions.results, server)


def _afresh(
    prepared: Prepared, conditions: Conditions, identity: str, server: Server, places: Sequence[int], time: int
) -> dict[str, Any]:
    """The Result JSON of some of the cells, whatever is stored of them."""
    chosen = dataclasses.replace(prepared, cells=[prepared.cells[place] for place in places])
    fresh = dataclasses.replace(conditions, fresh=True)
    return _measured(chosen, fresh, planned(chosen, fresh), f"{identity}-confirm-{time}", server)


def _new_run(results: Path, name: str) -> str:
    """The id of a new run, whose folder nobody else has: two runs may start in the same second."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    start = f"{time.strftime('%Y%m%d-%H%M%S')}-{slug}"
    for identity in itertools.chain([start], (f"{start}-{number}" for number in itertools.count(2))):
        folder = results / "runs" / identity
        with writing(folder), contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return identity
    raise AssertionError("there are always more numbers")


def _analyse(
    prepared: Prepared, whole: Plan, rows: list[dict[str, Any]], identity: str, results: Path, server: Server
) -> dict[str, Any]:
    suite, table = prepared.suite, prepared.catalogue.table
    opinion = machine.opinion(results) if whole.lockstep else None
    measure = [
        {"label": label(spec), **{fact: table["metric", spec["name"]]["facts"][fact] for fact in FACTS}}
        for spec in suite.measure
    ]
    run = {
        "suite": suite.name,
        "question": suite.question,
        "run": identity,
        "protocol": suite.protocol,
        "protocol_version": table["protocol", suite.protocol]["facts"]["version"],
        "environment": whole.environment | ({"doctor": opinion} if opinion else {}),
        "measure": measure,
        "baseline": suite.baseline,
        "within": suite.within,
        "axes": suite.labels(),
        "contenders": list(suite.contenders),
        "margin": suite.margin,
        "interval": suite.interval,
        "replicates": "blocks" if whole.lockstep else "seeds",
        "gates": suite.gates,
        "claims": suite.claims,
        "controls": [list(pair) for pair, about in table.items() if about.get("facts", {}).get("control")],
        "warnings": [*edges(suite, rows), *weak(rows), *machine.doubts(opinion)],
        "cells": rows,
    }
    return analysed(run, server)


def analysed(run: Mapping[str, Any], server: Server) -> dict[str, Any]:
    """The Result JSON of a run, its statistics done in a child. Raises BenchError where the baseline is no row."""
    child = server.start()
    try:
        answer: dict[str, Any] = child.ask({"ask": "analyse", "run": run})
        return answer
    except Failure as failure:
        raise BenchError(failure.reason) if failure.status == "failed" else RuntimeError(failure.reason) from None
    finally:
        child.close()


def edges(suite: Suite, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line where tuning chose the first or last learning rate it was given: a better one may lie outside."""
    if suite.tune is None or len(suite.tune.lr) < 2:
        return []
    least, most = min(suite.tune.lr), max(suite.tune.lr)
    found: dict[float, list[str]] = {}
    for row in rows:
        lr = row["tuned"].get("lr")
        if lr in (least, most):
            found.setdefault(lr, []).append(" / ".join(str(value) for value in row["vary"].values()))
    side = {least: "smallest", most: "largest"}
    return [
        f"the tuned lr is the {side[lr]} that was tried ({lr:g}) for {_few(names)}: widen the grid"
        for lr, names in sorted(found.items())
    ]


def weak(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What made measurements weak, each with the rows it is said of."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for line in row["warnings"]:
            found.setdefault(line, []).append(" / ".join(str(value) for value in row["vary"].values()))
    return [f"{line}: {_few(names)}" for line, names in found.items()]


def _few(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
