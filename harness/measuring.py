"""Measuring: artifacts made, then every cell in a process of its own, block by block, each block kept as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from harness.base import label
from harness.conversation import Conversation
from harness.environment import cores
from harness.errors import Failure
from harness.lockstep import Lockstep
from harness.record import writing
from harness.site import Site, no_path
from harness.tasks import Artifact, Task


class Measuring:
    """The measuring part of a run: rows() asks for everything that is missing."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.broken: dict[str, str] = {}
        self.failures: dict[int, Failure] = {}
        self.stopping = threading.Event()

    def rows(self) -> list[dict[str, Any]]:
        """One row per task, in order, after everything missing has been asked for."""
        plan, site = self.site.plan, self.site
        with writing(site.folder):
            (site.folder / "logs").mkdir(parents=True, exist_ok=True)
        work = [group for group in plan.groups if any(task.missing for task in group)]
        needed = {key for group in work for task in group for key in task.artifacts.values()}
        jobs = 1 if plan.lockstep else site.conditions.jobs or max(1, cores() // 2)
        measure = self._together if plan.lockstep else self._alone
        with ThreadPoolExecutor(jobs) as pool:
            try:
                missing = [
                    artifact
                    for key, artifact in plan.artifacts.items()
                    if key in needed and (site.conditions.fresh or not site.artifact(key).exists())
                ]
                _all(pool.submit(self._make, artifact) for artifact in missing)
                _all(pool.submit(measure, group) for group in work)
            except BaseException:
                self.stopping.set()
                site.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return [self._row(task) for task in plan.tasks]

    def _make(self, artifact: Artifact) -> None:
        site = self.site
        child = site.server.start(site.log(f"artifact-{artifact.key[:12]}"))
        question = {
            "ask": "make",
            "plugins": [source.data() for source in artifact.sources],
            "kind": artifact.kind,
            "spec": artifact.spec,
            "folder": str(site.suite),
            "to": str(site.artifact(artifact.key)),
        }
        try:
            child.ask(question, site.conditions.timeout, partial(site.conditions.listener.making, artifact))
            site.conditions.listener.making(artifact, 1.0)
        except Failure as failure:
            self.broken[artifact.key] = f"{artifact.kind} {label(artifact.spec)} {failure.status}: {failure.reason}"
        finally:
            child.close()

    def _together(self, group: list[Task]) -> None:
        """A whole problem in lockstep."""
        ready = [task for task in group if self._has_its_artifacts(task)]
        if ready and not self.stopping.is_set():
            Lockstep(self.site, ready, self._fail).run()

    def _alone(self, group: list[Task]) -> None:
        """The conversation with one cell's process: set up, tune, then block after block."""
        (task,) = group
        if self.stopping.is_set() or not self._has_its_artifacts(task):
            return
        told = self.site.conditions.listener.told
        conversation = Conversation(self.site, task)
        try:
            width = conversation.open()
            for block in sorted({seed // width for seed in task.missing}):
                done = len(task.wanted) - len(task.missing)
                record = conversation.measure(block, partial(_share, told, task, done, width))
                task.records.append(self.site.keep(task, record))
                told(task, len(task.wanted) - len(task.missing))
        except Failure as failure:
            self._fail(task, failure)
        finally:
            conversation.close()

    def _has_its_artifacts(self, task: Task) -> bool:
        """Whether everything the task needs was made; if not it is skipped, and is told why."""
        broken = [self.broken[key] for key in task.artifacts.values() if key in self.broken]
        if broken:
            self.failures[id(task)] = Failure("skipped", f"artifact {broken[0]}")
        return not broken

    def _fail(self, task: Task, failure: Failure) -> None:
        """Keep how a task ended, unless it was we who ended it."""
        if not self.stopping.is_set():
            self.failures[id(task)] = failure
            reason = no_path(failure.reason)
            self.site.keep(task, {"block": None, "status": failure.status, "reason": reason, "seeds": []})

    def _row(self, task: Task) -> dict[str, Any]:
        """What the analysis is told of one task: the values of the wanted seeds, in their order."""
        by_seed = {seed: (record, place) for record in task.records for place, seed in enumerate(record["seeds"])}
        seeds = [seed for seed in task.wanted if seed in by_seed]
        used = {id(by_seed[seed][0]): by_seed[seed][0] for seed in seeds}
        names = [name for name in task.digests if all(record["metrics"][name] for record in used.values())]
        failure = Failure("skipped", task.skipped) if task.skipped else self.failures.get(id(task))
        units = self.site.conditions.results / "units"
        return {
            "id": task.id,
            "vary": task.cell["vary"],
            "parameters": task.cell["parameters"],
            "tuned": (task.tuned or {}).get("tuned", {}),
            "status": failure.status if failure else "ok",
            "reason": no_path(failure.reason) if failure else None,
            "seconds": sum(r["seconds"] / len(r["seeds"]) for r in (by_seed[s][0] for s in seeds)),
            "peak_bytes": max((r["peak_bytes"] for r in used.values()), default=None),
            "seeds": seeds,
            "metrics": {name: [by_seed[s][0]["metrics"][name][by_seed[s][1]] for s in seeds] for name in names},
            "unranked": next((r["unranked"] for r in used.values() if r.get("unranked")), None),
            "units": [str(units / r["units"]) for r in used.values() if r["units"]],
            "notes": list(dict.fromkeys(note for r in used.values() for note in r["notes"])),
            "warnings": list(dict.fromkeys(line for r in used.values() for line in r.get("warnings", ()))),
        }


def _share(told: Callable[[Task, float], None], task: Task, done: int, width: int, share: float) -> None:
    told(task, done + share * width)


def _all(futures: Iterable[Future[None]]) -> None:
    done, _ = wait(list(futures), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
