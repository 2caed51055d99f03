"""Measuring: artifacts made, then every cell in a process of its own, block by block, each block kept as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.engines.local import Child, Failure, Server
from harness.environment import cores
from harness.making import Artifact
from harness.plan import Plan, Task
from harness.record import Store, writing
from harness.rows import no_path, row
from harness.sources import Source
from harness.suite import Suite


class Listener:
    """Hears how far a run is. This one does nothing with it."""

    def expect(self, tasks: list[Task]) -> None:
        """The tasks of the run."""

    def told(self, task: Task, seeds: float) -> None:
        """A task has this many seeds done."""

    def making(self, artifact: Artifact, share: float) -> None:
        """This share of what several cells need is made."""


@dataclass(frozen=True)
class Conditions:
    """How to run: where results go, how much at once, how long a question may take, who hears of the progress."""

    results: Path
    device: str = "cpu"
    jobs: int | None = None
    timeout: float = 3600.0
    fresh: bool = False
    listener: Listener = field(default_factory=Listener)


class Measuring:
    """The measuring part of a run: rows() asks for everything that is missing."""

    def __init__(self, identity: str, suite: Suite, whole: Plan, conditions: Conditions, server: Server) -> None:
        self.identity, self.suite, self.plan, self.conditions, self.server = identity, suite, whole, conditions, server
        self.folder = conditions.results / "runs" / identity
        self.cache = conditions.results / ".cache"
        self.store = Store(conditions.results, identity)
        self.broken: dict[str, str] = {}
        self.stopping = threading.Event()

    def rows(self) -> list[dict[str, Any]]:
        """One row per task, in order, after everything missing has been asked for."""
        with writing(self.folder):
            (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        work = [task for task in self.plan.tasks if task.missing]
        needed = {key for task in work for key in task.artifacts.values()}
        failures: dict[int, Failure] = {}
        jobs = self.conditions.jobs or max(1, cores() // 2)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for artifacts in self._waves(needed):
                    _all(pool.submit(self._make, artifact) for artifact in artifacts)
                _all(pool.submit(self._measure, task, failures) for task in work)
            except BaseException:
                self.stopping.set()
                self.server.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return [row(task, failures.get(id(task)), self.conditions.results / "units") for task in self.plan.tasks]

    def _file(self, key: str) -> Path:
        return self.cache / f"{key}.pt"

    def _waves(self, needed: Iterable[str]) -> Iterator[list[Artifact]]:
        """What is missing of the artifacts with these keys: first what needs nothing else that is, then the next."""
        known, fresh = self.plan.artifacts.items(), self.conditions.fresh
        left = [artifact for key, artifact in known if key in needed and (fresh or not self._file(key).exists())]
        while left:
            keys = {artifact.key for artifact in left}
            wave = [artifact for artifact in left if keys.isdisjoint(artifact.needs.values())]
            yield wave
            left = [artifact for artifact in left if artifact not in wave]

    def _make(self, artifact: Artifact) -> None:
        lost = [self.broken[key] for key in artifact.needs.values() if key in self.broken]
        if lost:
            self.broken[artifact.key] = lost[0]
            return
        child = self.server.start(self.folder / "logs" / f"artifact-{artifact.key[:12]}.log")
        question = {
            "ask": "make",
            "kind": artifact.kind,
            "to": str(self._file(artifact.key).resolve()),
            **self._told(artifact.sources, artifact.cell, artifact.needs, artifact.key),
        }
        try:
            child.ask(question, self.conditions.timeout, partial(self.conditions.listener.making, artifact))
            self.conditions.listener.making(artifact, 1.0)
        except Failure as failure:
            said = f"artifact {artifact.name} {failure.status}: "
            self.broken[artifact.key] = failure.reason if failure.status == "skipped" else said + failure.reason
        finally:
            child.close()

    def _measure(self, task: Task, failures: dict[int, Failure]) -> None:
        """The conversation with one cell's process: set up, tune, then block after block."""
        if self.stopping.is_set():
            return
        broken = [self.broken[key] for key in task.artifacts.values() if key in self.broken]
        if broken:
            failures[id(task)] = Failure("skipped", broken[0])
            return
        log = self.folder / "logs" / f"{task.id[:12]}.log"
        child = self.server.start(log, training="trainer" in task.cell["parts"])
        try:
            self._converse(child, task)
        except Failure as failure:
            if not self.stopping.is_set():
                failures[id(task)] = failure
                self._keep(
                    task, {"block": None, "status": failure.status, "reason": no_path(failure.reason), "seeds": []}
                )
        finally:
            child.close()

    def _converse(self, child: Child, task: Task) -> None:
        told, timeout = self.conditions.listener.told, self.conditions.timeout
        setup = child.ask({"ask": "setup", **self._told(task.sources, task.cell, task.artifacts, task.id)}, timeout)
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
            record["notes"] = [no_path(note) for note in [*setup["notes"], *answer["notes"]]]
            task.records.append(self._keep(task, record))
            told(task, len(task.wanted) - len(task.missing))

    def _told(
        self, sources: Iterable[Source], cell: Mapping[str, Any], made: Mapping[str, str], identity: str
    ) -> dict[str, Any]:
        """What a process needs to know of what it works on, and where."""
        return {
            "plugins": [source.data() for source in sources],
            "cell": cell,
            "made": {kind: str(self._file(key).resolve()) for kind, key in made.items()},
            "folder": str(self.suite.file.parent.resolve()),
            "scratch": str((self.cache / "scratch" / identity[:16]).resolve()),
            "threads": self.plan.environment["threads"],
        }

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


def _share(told: Callable[[Task, float], None], task: Task, done: int, width: int, share: float) -> None:
    told(task, done + share * width)


def _all(futures: Iterable[Future[None]]) -> None:
    done, _ = wait(list(futures), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
