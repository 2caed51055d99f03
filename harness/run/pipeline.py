"""A run from suite to result: artifacts are made, cells measured block by block, records stored, results analysed."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness import machine
from harness.analysis import partners
from harness.analysis.exit_status import exit_code
from harness.base import component_name
from harness.discovery.descriptions import facts_of
from harness.engines import Engine
from harness.errors import BenchError
from harness.report.answer import statements
from harness.report.result import Result
from harness.results import (
    Ask,
    ClaimRule,
    GateRule,
    MeasuredRow,
    MeasuredRun,
    MetricInfo,
    Published,
    RowInfo,
    Run,
    RunInfo,
    manifests,
)
from harness.results.codec import typed
from harness.results.store import Damage, Store, write, writing
from harness.run import snapshot
from harness.run.analyses import analysed
from harness.run.context import ExecutionConfig, RunContext
from harness.run.demands import demands
from harness.run.execute import Execution
from harness.run.load import LoadedSuite, RunOptions, chosen_device, chosen_gpus, load, references
from harness.run.looks import summary
from harness.run.plan import plan
from harness.run.problems import asked, controls
from harness.run.retest import confirmed
from harness.run.rows import left_out_row
from harness.run.sanity import remarks
from harness.run.shards import manifest
from harness.run.tables import checked_tables
from harness.run.task import Plan
from harness.run.trust import check_trust
from harness.worker.supervisor import Server

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.discovery.descriptions import Description


STAMPED = "[0-9]" * 8 + "-" + "[0-9]" * 6
"""The pattern of the beginning of a run's id: ids sort in the order of the runs."""


def run(
    path: str | Path,
    *,
    plugins: Sequence[str] = (),
    select: str | None = None,
    seeds: int | None = None,
    results: str | Path = "results",
    device: str | None = None,
    overrides: Mapping[str, str] | None = None,
    timeout: float = 3600.0,
    trust: bool = False,
) -> Result:
    """Run a suite and return its result: the same content as `bench SUITE --json`.

    `plugins` are files or modules; `select` is an expression as after `-k`; `seeds` and `overrides` replace values of
    the suite; with `trust` it may run programs and import any module. Raises BenchError for mistakes in the suite or a
    plugin, and where nothing is selected; a cell that fails is a row of the result, so is one whose plugin cannot be
    imported.
    """
    said = dict(overrides or {}) | ({"seeds": str(seeds)} if seeds is not None else {})
    said |= {"device": device} if device else {}
    with Server() as server:
        options = RunOptions(plugins, (), said, select, timeout, trust, tolerant=True)
        prepared = load(str(path), options, server)
        if not prepared.cells:
            raise BenchError(f"-k {select!r} selects none of {prepared.suite.size()} cells")
        where = chosen_device(prepared.suite.device, server)
        gpus = chosen_gpus((), where, prepared, server)
        conditions = ExecutionConfig(Path(results), device=where, gpus=gpus, timeout=timeout, trust=trust)
        return Result(execute_run(prepared, conditions, server))


def planned(prepared: LoadedSuite, conditions: ExecutionConfig) -> Plan:
    """Return the plan of a run that reuses all stored records; a fresh one only those of cells that are left out."""
    suite, left_out, results = prepared.suite, prepared.left_out, conditions.results
    whole = plan(suite, prepared.cells, prepared.catalogue, conditions.device, prepared.absent, left_out, results)
    damaged: list[Damage] = []
    records = Store(results, "").all(damaged)
    whole.accept(records, conditions.fresh, results / "units")
    conditions.listener.damaged(damaged)
    return whole


def execute_run(prepared: LoadedSuite, conditions: ExecutionConfig, server: Server, fail_on: Sequence[str] = ()) -> Run:
    """Measure the missing blocks, analyse the run, and store the result in the results folder.

    `fail_on` names conditions on the finished run that end it with exit code 1, as a broken gate does. A shard has
    no gates, and a manifest. Raises Mistakes before anything is measured if a table that cells still need cannot be
    read.
    """
    check_trust(prepared, conditions.trust)
    started = time.monotonic()
    whole = planned(prepared, conditions)
    missing = [cell for task, cell in zip(whole.tasks, prepared.cells, strict=True) if task.missing]
    conditions.listener.downloads(checked_tables(prepared, server, missing, conditions.offline).downloads)
    shard = prepared.shard
    part = f"-shard-{shard.number}-of-{shard.of}" if shard else ""
    with conditions.engine(demands(prepared, conditions, whole, server)) as engine:
        if missing:
            engine.open()
        identity = new_run(conditions.results, prepared.suite.name, part)
        snapshot.keep(prepared, conditions.results / "runs" / identity, conditions.trust)
        found = _measured(prepared, conditions, whole, identity, engine)
        gates = confirmed(found, partial(_afresh, prepared, conditions, identity, engine))
    others = {task.id for task in whole.tasks if task.cell["revision"] is not None}
    found = replace(found, gates=tuple(gate for gate in gates if gate.cell not in others))
    published = tuple(typed(Published, each) for each in prepared.suite.published)
    found = replace(found, exit=exit_code(found, fail_on), seconds=time.monotonic() - started, published=published)
    found = replace(found, statements=statements(found))
    store_run(conditions.results, found)
    if shard:
        manifests.keep(conditions.results, manifest(found, shard))
    return found


def store_run(results: Path, found: Run) -> None:
    """Store a finished run in its folder."""
    file = results / "runs" / found.run / "result.json"
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)  # a plugin may have deleted it
    write(file, Result(found).to_json())


def _measured(prepared: LoadedSuite, conditions: ExecutionConfig, whole: Plan, identity: str, engine: Engine) -> Run:
    """Return the cells with their statistics, after measuring the missing blocks."""
    conditions.listener.expect(whole.tasks, quiet=whole.interleaved)
    folder = prepared.suite.file.parent.resolve()
    context = RunContext(identity, folder, whole, conditions, engine, Store(conditions.results, identity))
    try:
        rows = Execution(context).rows()
    finally:
        context.store.close()
    return analysed(_measured_run(prepared, whole, rows, identity, conditions.results), engine.demands.server)


def _afresh(
    prepared: LoadedSuite, conditions: ExecutionConfig, identity: str, engine: Engine, places: Sequence[int], time: int
) -> Run:
    """Measure some of the cells again, and baselines of theirs that were left out, ignoring stored records."""
    every = [*prepared.cells, *prepared.left_out]
    links = partners(asked(prepared.suite), [RowInfo(id="", vary=cell.vary) for cell in every]) or []
    more = {links[place].index for place in places if links} - {*places}
    cells = [every[place] for place in (*places, *sorted(place for place in more if place is not None))]
    chosen = replace(prepared, cells=cells, left_out=())
    fresh = replace(conditions, fresh=True)
    return _measured(chosen, fresh, planned(chosen, fresh), f"{identity}-confirm-{time}", engine)


def new_run(results: Path, name: str, part: str = "") -> str:
    """Return the id of a new run and make its folder, which no other run has: two may start in the same second.

    `part` is the end of the id.
    """
    with writing(results / "runs"):
        (results / "runs").mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    start = f"{_stamp(results)}-{slug}{part}"
    for identity in itertools.chain([start], (f"{start}-{number}" for number in itertools.count(2))):
        folder = results / "runs" / identity
        with writing(folder), contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return identity
    raise AssertionError("there are always more numbers")


def _stamp(results: Path) -> str:
    """The local time to the second, after that of every earlier run even where the clock was set back."""
    now, form = datetime.now().replace(microsecond=0), "%Y%m%d-%H%M%S"
    files = (file for name in ("runs", "records") for file in (results / name).glob(f"{STAMPED}-*"))
    newest = max((file.name[:15] for file in files), default="")
    if newest and now.strftime(form) <= newest:
        now = datetime.strptime(newest, form) + timedelta(seconds=1)
    return now.strftime(form)


def _measured_run(
    prepared: LoadedSuite, whole: Plan, rows: Sequence[MeasuredRow], identity: str, results: Path
) -> MeasuredRun:
    suite, table = prepared.suite, prepared.catalogue.table
    doctor = machine.doctor_report(results) if whole.interleaved else None
    every = (*whole.tasks, *whole.left_out)
    looks = [task.look for task in every if task.look is not None]
    info = replace(
        asked(suite),
        run=identity,
        protocol_version=table["protocol", suite.protocol]["facts"]["version"],
        environment=whole.environment | ({"doctor": doctor} if doctor else {}),
        metrics=tuple(
            _metric(name, table["metric", component_name(spec)], spec) for name, spec in suite.metrics.items()
        ),
        replicates="blocks" if whole.interleaved else "seeds",
        controls=controls(table),
        references=references(prepared),
        shard=prepared.shard,
    )
    return MeasuredRun(
        **{each.name: getattr(info, each.name) for each in fields(RunInfo)},
        cells=tuple(rows),
        left_out=tuple(left_out_row(task, results / "units") for task in whole.left_out),
        gates=() if prepared.shard else tuple(typed(GateRule, gate) for gate in suite.gates),
        claims=tuple(typed(ClaimRule, claim) for claim in suite.claims),
        asks=tuple(typed(Ask, ask) for ask in suite.asks),
        looks=summary(whole.seen, looks, suite.metrics),
        notices=(*remarks(suite, whole.tasks, rows, info), *machine.noise(doctor)),
    )


def _metric(name: str, described: Description, spec: Spec) -> MetricInfo:
    """Return the facts of a metric that a report needs beside its values; `name` is its label."""
    facts = facts_of(described, spec)
    return MetricInfo(
        label=name,
        higher_is_better=facts["higher_is_better"],
        unit=facts["unit"],
        ideal=facts["ideal"],
        caveat=facts["caveat"],
        relative_margin=facts["relative_margin"],
        definition=described.get("help") or None,
    )
