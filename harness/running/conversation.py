"""The conversation with one cell's process: set up, tune, then whichever block is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.engines.local import Progress
from harness.planning.tasks import Task
from harness.running.site import Site, no_path


class Conversation:
    """One cell's process, started; every method raises Failure where it gets no answer."""

    def __init__(self, site: Site, task: Task) -> None:
        self.task, self._site = task, site
        self._child = site.start(task)
        self._setup: dict[str, Any] = {}

    def open(self) -> int:
        """Set the cell up, and tune it where that is asked for and not stored; answers how many seeds make a block."""
        task, site = self.task, self._site
        self._setup = self._ask({"ask": "setup", **site.told(task.sources, task.cell, task.artifacts, task.id)})
        if task.cell["tune"] and task.tuned is None:
            task.tuned = self._ask({"ask": "tune"})
            site.keep(task, {"block": "tune", "status": "ok", "seeds": [], "tuned": task.tuned})
        return int(self._setup["width"])

    def measure(self, block: int, progress: Progress | None = None) -> dict[str, Any]:
        """The record of one block, not yet kept."""
        task, width = self.task, self._setup["width"]
        seeds = list(range(block * width, (block + 1) * width))
        tuned = (task.tuned or {}).get("tuned", {})
        units = str(self._site.units(task, seeds[0]))
        answer = self._ask({"ask": "measure", "seeds": seeds, "tuned": tuned, "units": units}, progress)
        notes = [no_path(note) for note in [*self._setup["notes"], *answer["notes"]]]
        about = {"block": block, "status": "ok", "width": width, "tuned": tuned, "digests": task.digests}
        return {**about, **answer, "notes": notes}

    def rule(self, blocks: Sequence[Sequence[dict[str, Any]]], known: int, spent: float) -> dict[str, Any]:
        """What the session says of complete blocks, the first `known` it was told of and these: see `Session.rule`."""
        answer: dict[str, Any] = self._ask({"ask": "rule", "blocks": blocks, "known": known, "spent": spent})
        return answer

    def close(self) -> None:
        """Let the process end."""
        self._child.close()

    def _ask(self, question: dict[str, Any], progress: Progress | None = None) -> Any:
        return self._child.ask(question, self._site.conditions.timeout, progress)
