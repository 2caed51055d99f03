"""Execution: artifacts are made, then every cell runs in its own process, and every block is stored at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import NamedTuple, TypeVar

from harness.engines import Place, PlaceLost
from harness.errors import Failure
from harness.results import MeasuredRow, Reason, ReasonKind, Status, failures
from harness.results.codec import data
from harness.results.store import unique_part, writing
from harness.run.artifacts import Artifact
from harness.run.context import RunContext, no_path
from harness.run.interleave import Interleaved
from harness.run.rows import Ending, row
from harness.run.task import Task
from harness.run.worker_client import WorkerClient
from harness.worker.messages import Made

T = TypeVar("T")
ATTEMPTS = 3
"""How often a cell is begun on places that are lost."""


class Broken(NamedTuple):
    """An artifact that could not be made: why, its key, and the failure."""

    why: Reason
    key: str
    failure: Failure


class Execution:
    """Measuring part of a run: rows() requests all missing measurements."""

    def __init__(self, site: RunContext) -> None:
        self.site = site
        self.broken: dict[str, Broken] = {}
        self.endings: dict[int, Ending] = {}
        self.stopping = threading.Event()

    def rows(self) -> list[MeasuredRow]:
        """Return one row per task, in order, after requesting all missing measurements."""
        plan, site = self.site.plan, self.site
        with writing(site.folder):
            (site.folder / failures.LOGS).mkdir(parents=True, exist_ok=True)
        work = [group for group in plan.measured() if any(task.missing for task in group)]
        needed = {key for group in work for task in group for key in task.artifacts.values()}
        jobs = site.engine.open() if work else 1
        measure = self._together if plan.interleaved else self._alone
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for artifacts in self._waves(needed):
                    _all(pool.submit(self._make, artifact) for artifact in artifacts)
                _all(pool.submit(measure, group) for group in work)
            except BaseException:
                self.stopping.set()
                site.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return [row(task, self.endings.get(id(task)), site.conditions.results / "units") for task in plan.tasks]

    def _waves(self, needed: Iterable[str]) -> Iterator[list[Artifact]]:
        """Yield the missing artifacts with these keys in waves: each needs only artifacts of earlier waves."""
        site, known = self.site, self.site.plan.artifacts.items()
        fresh = site.conditions.fresh
        left = [artifact for key, artifact in known if key in needed and (fresh or not site.has_artifact(key))]
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
        try:
            self._placed(partial(self._made, artifact))
            self.site.conditions.listener.building(artifact, 1.0)
        except Failure as failure:
            status, text = Status(failure.status), no_path(failure.reason)
            skipped = status is Status.SKIPPED
            why = (
                Reason(ReasonKind.SAID, text=text)
                if skipped
                else Reason(ReasonKind.ARTIFACT, name=artifact.name, status=status, text=text)
            )
            self.broken[artifact.key] = Broken(why, artifact.key, failure)

    def _placed(self, work: Callable[[Place], T]) -> T:
        """Return the result of some work on a free place, begun again elsewhere if that is lost. Raises Failure."""
        for _ in range(ATTEMPTS):
            with self.site.engine.place() as place:
                try:
                    return work(place)
                except PlaceLost:
                    if self.stopping.is_set():
                        break
        raise Failure("crashed", "the node was lost")

    def _made(self, artifact: Artifact, place: Place) -> None:
        site, results = self.site, self.site.conditions.results
        part = unique_part(site.artifact(artifact.key))
        name = str(part.relative_to(results))
        process = site.start_making(artifact, place)
        question = {
            "ask": "make",
            "kind": artifact.kind,
            "to": str(place.results / name),
            **site.setup_message(artifact.sources, artifact.cell, artifact.needs, artifact.key, place),
        }
        try:
            building = partial(site.conditions.listener.building, artifact)
            made = process.ask(question, Made, site.conditions.timeout, building)
            place.fetch(name)
            site.publish(artifact.key, part, made)
        finally:
            process.close()
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _together(self, group: list[Task]) -> None:
        """Measure a whole problem interleaved."""
        ready = [task for task in group if self._has_its_artifacts(task)]
        if not ready or self.stopping.is_set():
            return
        try:
            self._placed(lambda place: self._interleaved(ready, place))
        except Failure as failure:
            for task in ready:
                self._fail(task, failure)

    def _interleaved(self, ready: list[Task], place: Place) -> None:
        for task in ready:  # one that failed before the place was lost
            self.endings.pop(id(task), None)
        Interleaved(self.site, ready, self._fail, place).run()

    def _alone(self, group: list[Task]) -> None:
        """Measure one cell in its process: set up, tune, then block after block."""
        (task,) = group
        if not self.stopping.is_set() and self._has_its_artifacts(task):
            try:
                self._placed(partial(self._measured, task))
            except Failure as failure:
                self._fail(task, failure)

    def _measured(self, task: Task, place: Place) -> None:
        report = self.site.conditions.listener.seeds_done
        conversation = WorkerClient(self.site, task, place)
        try:
            width = conversation.open()
            missing = {*task.missing}
            for block in sorted({seed // width for seed in missing}):
                done = len(task.wanted) - len(missing)
                record = conversation.measure(block, partial(_share, report, task, done, width))
                task.records.append(self.site.keep(task, record))
                missing.difference_update(record["seeds"])
                report(task, len(task.wanted) - len(missing))
        finally:
            conversation.close()

    def _has_its_artifacts(self, task: Task) -> bool:
        """Return whether all artifacts of the task were made; if not, skip the task with the reason."""
        broken = [self.broken[key] for key in task.artifacts.values() if key in self.broken]
        if broken:
            why, key, failure = broken[0]
            self.endings[id(task)] = Ending(Status.SKIPPED, why)
            failures.keep(self.site.folder, task.id, failures.artifact_log(key), failure.trace)
        return not broken

    def _fail(self, task: Task, failure: Failure) -> None:
        """Store the failure of a task, unless the run itself ended it."""
        if not self.stopping.is_set():
            ending = Ending(Status(failure.status), Reason(ReasonKind.SAID, text=no_path(failure.reason)))
            self.endings[id(task)] = ending
            if failure.trace:
                failures.keep(self.site.folder, task.id, failures.cell_log(task.id), failure.trace)
            self.site.keep(task, {"block": None, "status": ending.status, "why": data(ending.why), "seeds": []})


def _share(report: Callable[[Task, float], None], task: Task, done: int, width: int, share: float) -> None:
    report(task, done + share * width)


def _all(futures: Iterable[Future[None]]) -> None:
    done, _ = wait(list(futures), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
