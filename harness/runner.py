"""A run from suite to result: artifacts made, cells measured block by block, records kept, the result analysed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from harness.base import label
from harness.engines.local import Child, Failure, Server
from harness.environment import cores
from harness.errors import BenchError
from harness.plan import Artifact, Plan, Task, plan
from harness.preparation import Prepared, Wishes, chosen_device, prepare
from harness.record import Store
from harness.report.result import Result
from harness.suite import Suite

Told = Callable[[Task, float], None]
"""Progress: a task and how many of its seeds are done by now."""


@dataclass(frozen=True)
class Conditions:
    """How to run: where results go, how much at once, how long a question may take."""

    results: Path
    device: str = "cpu"
    jobs: int | None = None
    timeout: float = 3600.0
    fresh: bool = False
    told: Told = lambda task, seeds: None


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
        prepared = prepare(str(path), Wishes(plugins=plugins, overrides=said), server)
        where = chosen_device(prepared.suite.device, server)
        return conduct(prepared, Conditions(Path(results), device=where, timeout=timeout), server)


def planned(prepared: Prepared, conditions: Conditions) -> Plan:
    """The plan of a run with everything stored taken into account."""
    whole = plan(prepared.suite, prepared.cells, prepared.catalogue, conditions.device)
    if not conditions.fresh:
        tasks: dict[str, list[Task]] = {}
        for task in whole.tasks:
            tasks.setdefault(task.id, []).append(task)
        for record in Store(conditions.results, "").all():
            for task in tasks.get(record["cell"], ()):
                task.accept(record, whole.digest)
    return whole


def conduct(prepared: Prepared, conditions: Conditions, server: Server) -> Result:
    """Measure what is missing, analyse everything, and keep the result under the results folder."""
    started = time.monotonic()
    whole = planned(prepared, conditions)
    identity = f"{time.strftime('%Y%m%d-%H%M%S')}-{_slug(prepared.suite.name)}"
    run = _Run(identity, prepared.suite, whole, conditions, server)
    try:
        rows = run.rows()
    finally:
        run.store.close()
    data = _analyse(prepared, whole, rows, identity, server)
    data["seconds"] = time.monotonic() - started
    result = Result(data)
    folder = run.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_bytes(prepared.suite.file.read_bytes())
    part = folder / "result.part"
    part.write_text(result.to_json())
    part.replace(folder / "result.json")
    return result


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


class _Run:
    """The measuring part of a run."""

    def __init__(self, identity: str, suite: Suite, whole: Plan, conditions: Conditions, server: Server) -> None:
        self.identity, self.suite, self.plan, self.conditions, self.server = identity, suite, whole, conditions, server
        self.folder = conditions.results / "runs" / identity
        self.cache = conditions.results / ".cache"
        self.store = Store(conditions.results, identity)
        self.broken: dict[str, str] = {}
        self.stopping = threading.Event()

    def rows(self) -> list[dict[str, Any]]:
        """One row per task, in order, after everything missing has been asked for."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        work = [task for task in self.plan.tasks if task.missing]
        needed = {key for task in work for key in task.artifacts.values()}
        failures: dict[int, Failure] = {}
        jobs = self.conditions.jobs or max(1, cores() // 2)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                missing = [
                    a for key, a in self.plan.artifacts.items() if key in needed and not self._file(key).exists()
                ]
                _all(pool.submit(self._make, artifact) for artifact in missing)
                _all(pool.submit(self._measure, task, failures) for task in work)
            except BaseException:
                self.stopping.set()
                self.server.end_children()
                pool.shutdown(cancel_futures=True)
                raise
        return [self._row(task, failures.get(id(task))) for task in self.plan.tasks]

    def _file(self, key: str) -> Path:
        return self.cache / f"{key}.pt"

    def _make(self, artifact: Artifact) -> None:
        child = self.server.start(self.folder / "logs" / f"artifact-{artifact.key[:12]}.log")
        question = {
            "ask": "make",
            "plugins": [source.data() for source in artifact.sources],
            "kind": artifact.kind,
            "spec": artifact.spec,
            "folder": str(self.suite.file.parent.resolve()),
            "to": str(self._file(artifact.key).resolve()),
        }
        try:
            child.ask(question, self.conditions.timeout)
        except Failure as failure:
            self.broken[artifact.key] = f"{artifact.kind} {label(artifact.spec)} {failure.status}: {failure.reason}"
        finally:
            child.close()

    def _measure(self, task: Task, failures: dict[int, Failure]) -> None:
        """The conversation with one cell's process: set up, tune, then block after block."""
        if self.stopping.is_set():
            return
        broken = [self.broken[key] for key in task.artifacts.values() if key in self.broken]
        if broken:
            failures[id(task)] = Failure("skipped", f"artifact {broken[0]}")
            return
        log = self.folder / "logs" / f"{task.id[:12]}.log"
        child = self.server.start(log, training="trainer" in task.cell["parts"])
        try:
            self._converse(child, task)
        except Failure as failure:
            if not self.stopping.is_set():
                failures[id(task)] = failure
                self._keep(
                    task, {"block": None, "status": failure.status, "reason": _no_path(failure.reason), "seeds": []}
                )
        finally:
            child.close()

    def _converse(self, child: Child, task: Task) -> None:
        told, timeout = self.conditions.told, self.conditions.timeout
        setup = child.ask(
            {
                "ask": "setup",
                "plugins": [source.data() for source in task.sources],
                "cell": task.cell,
                "made": {kind: str(self._file(key).resolve()) for kind, key in task.artifacts.items()},
                "folder": str(self.suite.file.parent.resolve()),
                "scratch": str((self.cache / "scratch" / task.id[:16]).resolve()),
                "threads": self.plan.environment["threads"],
            },
            timeout,
        )
        if task.cell["tune"] and task.tuned is None:
            task.tuned = child.ask({"ask": "tune"}, timeout)
            self._keep(task, {"block": "tune", "status": "ok", "seeds": [], "tuned": task.tuned})
        width, tuned = setup["width"], (task.tuned or {}).get("tuned", {})
        for block in sorted({seed // width for seed in task.missing}):
            seeds = list(range(block * width, (block + 1) * width))
            units = self.conditions.results / "units" / f"{task.id[:16]}-{self.identity}-{seeds[0]}.npz"
            question = {"ask": "measure", "seeds": seeds, "tuned": tuned, "units": str(units.resolve())}
            done = len(task.wanted) - len(task.missing)
            answer = child.ask(question, timeout, partial(_share, told, task, done, width))
            record = {"block": block, "status": "ok", "width": width, "tuned": tuned, "digests": task.digests, **answer}
            record["notes"] = [*setup["notes"], *answer["notes"]]
            task.records.append(self._keep(task, record))
            told(task, len(task.wanted) - len(task.missing))

    def _keep(self, task: Task, record: Mapping[str, Any]) -> dict[str, Any]:
        """Append a record; from here on it is never lost."""
        whole = {
            "cell": task.id,
            "environment": self.plan.digest,
            "run": self.identity,
            "vary": task.cell["vary"],
            "parameters": task.cell["parameters"],
            "protocol": task.cell["protocol"],
            **record,
        }
        self.store.append(whole)
        return whole

    def _row(self, task: Task, failure: Failure | None) -> dict[str, Any]:
        """What the analysis is told of one task: the values of the wanted seeds, in their order."""
        by_seed = {seed: (record, place) for record in task.records for place, seed in enumerate(record["seeds"])}
        seeds = [seed for seed in task.wanted if seed in by_seed]
        names = list(task.digests)
        used = {id(by_seed[seed][0]): by_seed[seed][0] for seed in seeds}
        return {
            "id": task.id,
            "vary": task.cell["vary"],
            "parameters": task.cell["parameters"],
            "tuned": (task.tuned or {}).get("tuned", {}),
            "status": failure.status if failure else "ok",
            "reason": _no_path(failure.reason) if failure else None,
            "seconds": sum(r["seconds"] / len(r["seeds"]) for r in (by_seed[s][0] for s in seeds)),
            "peak_bytes": max((r["peak_bytes"] for r in used.values()), default=None),
            "seeds": seeds,
            "metrics": {name: [by_seed[s][0]["metrics"][name][by_seed[s][1]] for s in seeds] for name in names},
            "units": [str(self.conditions.results / "units" / r["units"]) for r in used.values() if r["units"]],
            "notes": list(dict.fromkeys(note for r in used.values() for note in r["notes"])),
        }


def _share(told: Told, task: Task, done: int, width: int, share: float) -> None:
    told(task, done + share * width)


def _no_path(text: str) -> str:
    """The text with file names in place of paths: a record names no machine's folders."""
    return re.sub(r"(?<![\w.])/(?:[^\s/:'\"]+/)+", "", text)


def _all(futures: Iterable[Future[None]]) -> None:
    done, _ = wait(list(futures), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()


def _analyse(
    prepared: Prepared, whole: Plan, rows: list[dict[str, Any]], identity: str, server: Server
) -> dict[str, Any]:
    suite, table = prepared.suite, prepared.catalogue.table
    measure = [
        {"label": label(spec), **{k: table["metric", spec["name"]]["facts"][k] for k in ("better", "unit")}}
        for spec in suite.measure
    ]
    run = {
        "suite": suite.name,
        "question": suite.question,
        "run": identity,
        "protocol": suite.protocol,
        "environment": whole.environment,
        "measure": measure,
        "baseline": suite.baseline,
        "within": suite.within,
        "axes": suite.labels(),
        "contenders": list(suite.contenders),
        "margin": suite.margin,
        "interval": suite.interval,
        "warnings": edges(suite, rows),
        "cells": rows,
    }
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


def _few(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
