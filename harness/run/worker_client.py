"""Client of one cell's process: set up, tune, measure the requested blocks."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import Failure
from harness.run.context import RunContext, no_path
from harness.run.task import Task
from harness.worker.supervisor import Progress

if TYPE_CHECKING:
    from harness.results.store import Numbers, Record
    from harness.worker.messages import Decision, SetUp


class WorkerClient:
    """One cell's process, started; every method raises Failure if a request fails. It sees the `gpu`, None for all."""

    def __init__(self, site: RunContext, task: Task, gpu: str | None) -> None:
        self.task, self._site, self._gpu = task, site, gpu
        self._child = site.start(task)
        self._setup: SetUp = {"width": 0, "notes": [], "issues": []}

    def open(self) -> int:
        """Set the cell up, and tune it if requested and not stored; return the number of seeds in a block."""
        task, site = self.task, self._site
        if site.conditions.fresh:  # a program must not go on where an earlier one stopped
            shutil.rmtree(site.scratch(task.id), ignore_errors=True)
        message = site.setup_message(task.sources, task.cell, task.artifacts, task.id, self._gpu)
        self._setup = self._ask({"ask": "setup", **message})
        if task.cell["tune"] and task.tuned is None:
            task.tuned = tuned = self._ask({"ask": "tune"})
            read = tuned.pop("read")
            site.keep(task, {"block": "tune", "status": "ok", "seeds": [], "tuned": task.tuned, "read": read})
        return self._setup["width"]

    def measure(self, block: int, progress: Progress | None = None) -> Record:
        """Return the record of one block, not yet stored."""
        task, width = self.task, self._setup["width"]
        seeds = list(range(block * width, (block + 1) * width))
        units = str(self._site.units(task, seeds[0]))
        question = {"ask": "measure", "seeds": seeds, "tuned": task.choice, "units": units}
        answer: Record = self._ask(question, progress)
        if answer["seeds"] != seeds:
            raise Failure("crashed", "the process answered for other seeds than it was asked for")
        notes = [no_path(note) for note in [*self._setup["notes"], *answer["notes"]]]
        about: Record = {"block": block, "status": "ok", "width": width, "tuned": task.choice, "digests": task.digests}
        skipped = {label: no_path(why) for label, why in answer["skipped"].items()}
        issues = [*self._setup["issues"], *answer["issues"]]
        return {**about, **answer, "notes": notes, "skipped": skipped, "issues": issues}

    def should_stop(
        self, blocks: Sequence[Sequence[Mapping[str, Numbers | None]]], known: int, spent: float
    ) -> Decision:
        """Return the runner's decision on complete blocks: the first `known`, which it has already, and these."""
        answer: Decision = self._ask({"ask": "should_stop", "blocks": blocks, "known": known, "spent": spent})
        return answer

    def close(self) -> None:
        """Let the process end."""
        self._child.close()

    def _ask(self, question: Mapping[str, object], progress: Progress | None = None) -> Any:
        return self._child.ask(question, self._site.conditions.timeout, progress)
