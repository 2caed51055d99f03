"""The tasks of a run: what each cell's process is told, what is stored of it, which seeds are missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.discovery.digests import digest
from harness.discovery.sources import Source
from harness.planning.making import Artifact
from harness.planning.problems import reuse


@dataclass
class Task:
    """One cell of a run: what its process is told, what is stored of it, which seeds are missing."""

    cell: dict[str, Any]
    wanted: tuple[int, ...]
    sources: list[Source]
    artifacts: dict[str, str]
    digests: dict[str, str]
    records: list[dict[str, Any]] = field(default_factory=list)
    tuned: dict[str, Any] | None = None
    skipped: str | None = None
    """Why this task is not measured, where that is known before."""

    @property
    def id(self) -> str:
        """The digest of everything that could change the cell's numbers, seeds left out."""
        return str(self.cell["id"])

    @property
    def missing(self) -> list[int]:
        """Wanted seeds that no record has."""
        if self.skipped:
            return []
        stored = {seed for record in self.records for seed in record["seeds"]}
        return [seed for seed in self.wanted if seed not in stored]

    def accept(self, record: dict[str, Any], environment: str) -> None:
        """Take a stored record of this cell into account, where it was made here and has every metric."""
        if record["status"] not in ("ok", "skipped") or record["environment"] != environment:
            return
        if record["block"] == "tune":
            self.tuned = record["tuned"]
        elif record["status"] == "skipped" or self.digests.items() <= record["digests"].items():
            self.records.append(record)


@dataclass(frozen=True)
class Plan:
    """The tasks of a run in the order of the suite, and the artifacts they share.

    `groups` are the tasks that are measured together: each alone, or in `lockstep` all of a problem.
    """

    tasks: list[Task]
    artifacts: dict[str, Artifact]
    environment: dict[str, Any]
    groups: list[list[Task]] = field(default_factory=list)
    lockstep: bool = False

    @property
    def digest(self) -> str:
        """What of the environment decides whether stored numbers may be reused."""
        return digest({k: v for k, v in self.environment.items() if k not in ("commit", "plugins", "device", "doctor")})

    def accept(self, records: Iterable[dict[str, Any]]) -> None:
        """Take everything stored into account."""
        tasks: dict[str, list[Task]] = {}
        for task in self.tasks:
            tasks.setdefault(task.id, []).append(task)
        for record in records:
            for task in tasks.get(record["cell"], ()):
                task.accept(record, self.digest)
        for group in self.groups if self.lockstep else ():
            reuse(group)
