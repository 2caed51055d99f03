"""Tasks of a run: the data for each cell's process, its stored records, its missing seeds."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery.opened import Unchanged
from harness.discovery.sources import Source
from harness.results import Reason, Status, StopReason
from harness.results.codec import typed
from harness.results.records import compact
from harness.results.runs import environment_digest
from harness.results.values import Blocks
from harness.run.artifacts import Artifact
from harness.run.looks import Seen

if TYPE_CHECKING:
    from harness.fields import Json
    from harness.results.records import Look, Record
    from harness.worker.messages import CellData


@dataclass
class Task:
    """One cell of a run: the data for its process, its stored records, its missing seeds."""

    cell: CellData
    wanted: tuple[int, ...]
    sources: list[Source]
    artifacts: dict[str, str]
    digests: dict[str, str]
    """Digests of the metrics, by label."""
    inputs: dict[str, str] = field(default_factory=dict)
    """Digests of what its components read, by name; they are part of the id."""
    parts: dict[str, str] = field(default_factory=dict)
    """Digests of what each component reads, by kind; of its code, files and modules."""
    question: str = ""
    """The digest of what was asked: the id without the inputs."""
    changed: tuple[str, ...] = ()
    """Names of inputs that have changed since the same question was measured before."""
    records: list[Record] = field(default_factory=list)
    tuned: dict[str, Json] | None = None
    """Result of tuning: the choice as `tuned`, and all trials."""
    skipped: Reason | None = None
    """Reason why this task is not measured, if known before."""
    lost: str | None = None
    """Reason why a plugin that it needs cannot be imported; its row fails with it."""
    timed_out: bool = False
    """Whether it ran out of time when it was measured last."""
    look: Look | None = None
    """The test set that it looks at; None without one."""

    @property
    def id(self) -> str:
        """Digest of everything that may change the cell's numbers, without seeds."""
        return str(self.cell["id"])

    @property
    def choice(self) -> dict[str, Json]:
        """Fields that tuning chose; empty without tuning."""
        found = (self.tuned or {}).get("tuned")
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def missing(self) -> list[int]:
        """Requested seeds without a record."""
        if self.skipped:
            return []
        stored = {seed for record in self.records for seed in record["seeds"]}
        return [seed for seed in self.wanted if seed not in stored]

    def accept(self, record: Record, environment: str) -> None:
        """Use a stored record of this cell if it was measured in this environment and has every metric."""
        if record["status"] not in ("ok", "skipped") or record["environment"] != environment:
            return
        if record["block"] == "tune":
            self.tuned = record["tuned"]
        elif record["status"] == "skipped" or self.digests.items() <= record["digests"].items():
            self.records.append(compact(record))


@dataclass(frozen=True)
class Plan:
    """Tasks of a run in the order of the suite, and the artifacts they share.

    `groups` are the tasks that belong together: each alone, or if `interleaved` all of a problem. Tasks that are
    `left_out` are not measured; what is stored of them counts in the corrections for all comparisons.
    """

    tasks: list[Task]
    artifacts: dict[str, Artifact]
    environment: dict[str, Json]
    groups: list[list[Task]] = field(default_factory=list)
    interleaved: bool = False
    left_out: list[Task] = field(default_factory=list)
    folder: Path = Path()
    """Folder of the suite, from which names of files are counted."""
    seen: Seen = field(default_factory=Seen)
    """Looks of stored records at test sets."""
    costs: list[float] = field(default_factory=list)
    """Seconds of a stored seed, one for each record of the suite's protocol."""

    def measured(self) -> list[list[Task]]:
        """Return the tasks that are measured together, without those left out; empty groups are dropped."""
        gone = {id(task) for task in self.left_out}
        groups = ([task for task in group if id(task) not in gone] for group in self.groups)
        return [group for group in groups if group]

    @functools.cached_property
    def digest(self) -> str:
        """Digest of those parts of the environment that decide whether stored numbers may be reused."""
        return environment_digest(self.environment)

    def accept(self, records: Iterable[Record], fresh: bool = False, units: Path = Path()) -> None:
        """Use all stored records; if `fresh` only for tasks that are left out.

        A record is not used if its file of results per example, in the folder `units`, cannot be read.
        """
        tasks: dict[str, list[Task]] = {}
        for task in (*([] if fresh else self.tasks), *self.left_out):
            tasks.setdefault(task.id, []).append(task)
        answers, files, others = Answers(self.tasks), Unchanged(self.folder), dict[str, list[str]]()
        here, protocols = self.digest, {_protocol(task.cell) for task in self.tasks}
        for record in records:
            self.seen.add(record)
            answers.add(record)
            if record["status"] == "ok" and record["seeds"] and _protocol(record) in protocols:
                self.costs.append(record["seconds"] / len(record["seeds"]))
            asked = tasks.get(record["cell"], ())
            changed = files.changed(record.get("read", {})) if asked else []
            usable = asked and not changed and _is_whole(units, record)
            for task in asked:
                others[task.id] = changed
                task.timed_out = record["status"] == Status.TIMEOUT
                if usable:
                    task.accept(record, here)
        for task in [] if fresh else self.tasks:
            if task.missing:
                task.changed = answers.changed(task, here, others.get(task.id, []))
        for group in self.groups if self.interleaved else ():
            self._reuse(group)

    def _reuse(self, group: list[Task]) -> None:
        """Use the last run that has a whole problem; else the last one that has its selected part, and no other part.

        Timings of two runs are never compared.
        """
        gone = {id(task) for task in self.left_out}
        chosen = [task for task in group if id(task) not in gone]
        stored = [task.records for task in chosen]
        reuse(group)
        if chosen and any(not (task.records or task.skipped) for task in group):
            for task, records in zip(chosen, stored, strict=True):
                task.records = records
            reuse(chosen)


def _is_whole(folder: Path, record: Record) -> bool:
    """Whether a record's file of results per example, if it has one, is there to its end."""
    name = record.get("units")
    return not name or zipfile.is_zipfile(folder / name)


def _protocol(of: CellData | Record) -> object:
    return of.get("protocol", {}).get("name")


class Answers:
    """Inputs and environment of earlier answers to the questions of some tasks; equal inputs are kept once."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._questions = {task.question for task in tasks}
        self._found: dict[str, tuple[Mapping[str, str], str]] = {}
        self._inputs: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def add(self, record: Record) -> None:
        """Receive a record; the last answer counts."""
        if record["status"] == "ok" and "inputs" in record and record["question"] in self._questions:
            inputs = self._inputs.setdefault(tuple(record["inputs"].items()), record["inputs"])
            self._found[record["question"]] = inputs, record["environment"]

    def changed(self, task: Task, environment: str, files: Sequence[str]) -> tuple[str, ...]:
        """Return the names of what differs from the earlier answer to a task's question, `files` last."""
        if task.question not in self._found:
            return ()
        (old, before), new = self._found[task.question], task.inputs
        names = [name for name in sorted({*old, *new}) if not (name in old and new.get(name, "").startswith(old[name]))]
        return (*names, *["environment"] * (before != environment), *files)


def reuse(group: Sequence[Task]) -> None:
    """Use the last run that has a problem whole, or measure it: timings of two runs are never mixed."""
    stored = [{record["run"]: record for record in task.records if _serves(task, record)} for task in group]
    run = next((run for run in reversed(stored[0]) if all(run in each for each in stored)), None)
    for task, each in zip(group, stored, strict=True):
        task.records = []
        if run is not None and each[run]["status"] == "skipped":
            task.skipped = typed(Reason, each[run]["why"])
        elif run is not None:
            task.records = [each[run]]
            task.wanted = task.wanted[: len(each[run]["seeds"])]


def _serves(task: Task, record: Record) -> bool:
    if record["status"] == "skipped":
        return True
    seeds = record["seeds"]
    return task.wanted[: len(seeds)] == tuple(seeds[: len(task.wanted)]) and (
        len(seeds) >= len(task.wanted) or typed(Blocks, record["blocks"]).stop is not StopReason.ALL_BLOCKS
    )
