"""Client of one cell's process: set up, tune, measure the requested blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from harness.engines import Place
from harness.errors import Failure
from harness.results.records import MEASURED, Record, fault
from harness.run.context import RunContext, no_path
from harness.run.task import Task
from harness.worker.child import Progress
from harness.worker.messages import Decision, SetUp, Tuned

if TYPE_CHECKING:
    from harness.results.records import Numbers

T = TypeVar("T")


class WorkerClient:
    """One cell's process, started on a place; every method raises Failure if a request fails."""

    def __init__(self, site: RunContext, task: Task, place: Place) -> None:
        self.task, self._site, self._place = task, site, place
        self._process = site.start(task, place)
        self._setup: SetUp = {"width": 0, "notes": [], "issues": [], "slow": {}}

    def open(self) -> int:
        """Set the cell up, and tune it if requested and not stored; return the number of seeds in a block."""
        task, site = self.task, self._site
        if task.lost is not None:
            raise Failure("failed", task.lost)
        message = site.setup_message(task.sources, task.cell, task.artifacts, task.id, self._place)
        fresh = {"fresh": True} if site.conditions.fresh else {}
        self._setup = self._ask({"ask": "setup", **fresh, **message}, SetUp)
        if self._setup["width"] < 1:
            raise Failure("crashed", f"the process answered with blocks of {self._setup['width']} seeds")
        if self._setup["slow"]:
            site.conditions.listener.slow(self._setup["slow"])
        if task.cell["tune"] and task.tuned is None:
            found = self._ask({"ask": "tune"}, Tuned)
            task.tuned = {key: found[key] for key in ("tuned", "trials", "seconds")}
            site.keep(task, {"block": "tune", "status": "ok", "seeds": [], "tuned": task.tuned, "read": found["read"]})
        return self._setup["width"]

    def measure(self, block: int, progress: Progress | None = None) -> Record:
        """Return the record of one block, not yet stored."""
        task, width = self.task, self._setup["width"]
        seeds = list(range(block * width, (block + 1) * width))
        units = self._site.units(task, seeds[0])
        to = str(self._place.results / units)
        question = {"ask": "measure", "seeds": seeds, "tuned": task.choice, "units": to}
        answer = self._ask(question, Record, progress)
        if wrong := fault(answer, MEASURED):
            raise Failure("crashed", f"the process sent another answer than was asked for: {wrong}")
        if answer["seeds"] != seeds:
            raise Failure("crashed", "the process answered for other seeds than it was asked for")
        self._place.fetch(units)
        notes = [no_path(note) for note in [*self._setup["notes"], *answer["notes"]]]
        about: Record = {"block": block, "status": "ok", "width": width, "tuned": task.choice, "digests": task.digests}
        skipped = {label: no_path(why) for label, why in answer["skipped"].items()}
        issues = [*self._setup["issues"], *answer["issues"]]
        return {**about, **answer, "notes": notes, "skipped": skipped, "issues": issues}

    def should_stop(
        self, blocks: Sequence[Sequence[Mapping[str, Numbers | None]]], known: int, spent: float
    ) -> Decision:
        """Return the runner's decision on complete blocks: the first `known`, which it has already, and these."""
        question = {"ask": "should_stop", "blocks": blocks, "known": known, "spent": spent}
        return self._ask(question, Decision)

    def close(self) -> None:
        """Let the process end."""
        self._process.close()

    def _ask(self, question: Mapping[str, object], answer: type[T], progress: Progress | None = None) -> T:
        return self._process.ask(question, answer, self._site.conditions.timeout, progress)
