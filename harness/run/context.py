"""Context of a run: conditions, listener, server, folders, store, shared by the clients of all cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery import contents
from harness.discovery.opened import Unchanged
from harness.discovery.sources import Source
from harness.engines import Engine, Place, Process
from harness.engines.local import Local
from harness.errors import Failure
from harness.results.failures import LOGS, artifact_log, cell_log
from harness.results.records import compact
from harness.results.store import Damage, Store, write
from harness.run.artifacts import Artifact
from harness.run.task import Plan, Task
from harness.worker.frames import Misfit
from harness.worker.messages import Made, answered
from harness.worker.supervisor import Server

if TYPE_CHECKING:
    from harness.results.records import Record
    from harness.worker.messages import CellData


BRIEF = 24
"""Characters of an input's digest that a record has: enough to see whether it has changed."""


class ProgressListener:
    """Receives the progress of a run. This base class ignores it."""

    def expect(self, tasks: list[Task], quiet: bool = False) -> None:
        """Receive the tasks of the run; with `quiet` output is allowed only in `seeds_done`, when nothing is timed."""

    def seeds_done(self, task: Task, seeds: float) -> None:
        """Receive the number of seeds of a task that are done."""

    def damaged(self, found: Sequence[Damage]) -> None:
        """Receive the files of records that cannot be read whole."""

    def downloads(self, names: Sequence[str]) -> None:
        """Receive the names of what the run downloads, before it begins."""

    def slow(self, seconds: Mapping[str, float]) -> None:
        """Receive the metrics of a cell that take long, with the estimated seconds of a seed, before its first seed."""

    def building(self, artifact: Artifact, share: float) -> None:
        """Receive the completed share of an artifact."""

    def say(self, line: str) -> None:
        """Receive a line about what the run waits for."""


@dataclass(frozen=True)
class Moved:
    """Where the files of a repository are in a worktree of it; without one they are where they are."""

    repository: str = ""
    worktree: str = ""

    def to(self, path: str) -> str:
        """Return the path in the worktree of a path in the repository."""
        if not self.repository or not Path(path).is_relative_to(self.repository):
            return path
        return str(Path(self.worktree, Path(path).relative_to(self.repository)))


@dataclass(frozen=True)
class Elsewhere:
    """Where the cells of another revision run: the server, and the place of their code."""

    server: Server
    moved: Moved = Moved()


@dataclass(frozen=True)
class ExecutionConfig:
    """Conditions of execution: results folder, number of parallel jobs, time limit of a request, progress listener.

    `gpus` are those for cells, as CUDA_VISIBLE_DEVICES names them: a cell sees one of them. `memory` is the limit of a
    process in bytes, `grouped` gives it a control group of the kernel. With `trust` programs that the suite names are
    run; `offline` nothing is downloaded. `elsewhere` is where cells of other revisions run, all others run on the
    machines of the `engine` at `address`.
    """

    results: Path
    device: str = "cpu"
    gpus: Sequence[str] = ()
    jobs: int | None = None
    timeout: float = 3600.0
    memory: int | None = None
    grouped: bool = False
    fresh: bool = False
    trust: bool = False
    offline: bool = False
    listener: ProgressListener = field(default_factory=ProgressListener)
    elsewhere: Mapping[str, Elsewhere] = field(default_factory=dict)
    engine: type[Engine] = Local
    address: str | None = None


@dataclass(frozen=True)
class RunContext:
    """Environment of one run; `suite` is the folder to which paths in the suite are relative."""

    identity: str
    suite: Path
    plan: Plan
    conditions: ExecutionConfig
    engine: Engine
    store: Store
    described: set[str] = field(default_factory=set)
    """Ids of the cells whose inputs a record of this run has: the first one."""
    read: dict[str, dict[str, str]] = field(default_factory=dict)
    """Digests of the files that the artifacts of a cell were made of, by the cell's id."""

    @property
    def folder(self) -> Path:
        """Folder of the run's own files."""
        return self.conditions.results / "runs" / self.identity

    def start(self, task: Task, place: Place) -> Process:
        """Start a process for a task, with the task's revision of the code."""
        for key in task.artifacts.values():
            place.bring(artifact_file(key))
        return self._started(task.cell, cell_log(task.id), place, training="trainer" in task.cell["parts"])

    def start_making(self, artifact: Artifact, place: Place) -> Process:
        """Start a process for an artifact, with the revision of the code of the cells that need it."""
        for key in artifact.needs.values():
            place.bring(artifact_file(key))
        return self._started(artifact.cell, artifact_log(artifact.key), place)

    def _started(self, cell: CellData, name: str, place: Place, training: bool = False) -> Process:
        limits, log = self.conditions, f"runs/{self.identity}/{LOGS}/{name}.log"
        if elsewhere := self._elsewhere(cell):
            file = limits.results / log
            return elsewhere.server.start(file, training=training, memory=limits.memory, grouped=limits.grouped)
        return place.start(log, training=training, memory=limits.memory, grouped=limits.grouped)

    def stop(self) -> None:
        """End every process at once, permanently."""
        self.engine.stop()
        for each in self.conditions.elsewhere.values():
            each.server.stop()

    def _elsewhere(self, cell: CellData) -> Elsewhere | None:
        return self.conditions.elsewhere.get(cell.get("revision") or "")

    def artifact(self, key: str) -> Path:
        """Return the file of an artifact, which may not exist yet."""
        return self.conditions.results / artifact_file(key)

    def publish(self, key: str, part: Path, made: Made) -> None:
        """Give an artifact that was made its name, and write down its digest and those of the files read for it.

        One that another run has made meanwhile stays: cells of that run may be reading it. Raises Failure if the part
        is gone.
        """
        if self.conditions.fresh or not self.has_artifact(key):
            try:
                part.replace(self.artifact(key))
            except OSError as error:  # a plugin removed what it had made
                raise Failure("failed", f"cannot be stored: {error.strerror}") from None
            write(self.artifact(key).with_suffix(".json"), f"{json.dumps(made)}\n")

    def has_artifact(self, key: str) -> bool:
        """Whether an artifact is there as it was made: one that was altered, or of other files, is made again."""
        made = self._made(key)
        known = made is not None and made["digest"] == contents.of_path(self.artifact(key))
        return known and made is not None and not Unchanged(self.suite).changed(made["read"])

    def _read_before(self, task: Task) -> dict[str, str]:
        """Return the digests of the files that a task's artifacts were made of, looked up once."""
        if task.id not in self.read:
            made = filter(None, map(self._made, task.artifacts.values()))
            self.read[task.id] = {name: text for each in made for name, text in each["read"].items()}
        return self.read[task.id]

    def _made(self, key: str) -> Made | None:
        try:
            return answered(Made, json.loads(self.artifact(key).with_suffix(".json").read_bytes()))
        except (OSError, ValueError, RecursionError, Misfit):
            return None

    def setup_message(
        self, sources: Sequence[Source], cell: CellData, made: Mapping[str, str], identity: str, place: Place
    ) -> dict[str, object]:
        """Return a process's input for a cell: plugins, artifacts, folders; its scratch folder survives a resume."""
        elsewhere = self._elsewhere(cell)
        moved = elsewhere.moved if elsewhere else Moved()
        return {
            "plugins": [replace(source, file=moved.to(source.file)).data() for source in sources],
            "cell": cell,
            "made": {kind: str(place.results / artifact_file(key)) for kind, key in made.items()},
            "folder": str(self.suite),
            "code": moved.to(str(self.suite)),
            "known": [str(file) for source in sources for file in _code(source)],
            "results": str(place.results),
            "scratch": str(place.results / ".cache" / "scratch" / identity[:16]),
            "threads": self.plan.environment["threads"],
            "gpu": place.gpu,
        }

    def units(self, task: Task, seed: int) -> str:
        """Return the file in the results folder for the per-example results of the block that starts with this seed."""
        return f"units/{task.id[:16]}-{self.identity}-{seed}.npz"

    def keep(self, task: Task, record: Record) -> Record:
        """Append a record, which is then stored permanently; return the parts that rows are made of."""
        whole: Record = {
            "cell": task.id,
            "question": task.question,
            "environment": self.plan.digest,
            "run": self.identity,
            "vary": task.cell["vary"],
            "parameters": task.cell["parameters"],
            "protocol": task.cell["protocol"],
            **record,
        }
        if record["status"] == "ok" and task.cell["revision"] is None:
            if task.look is not None:
                whole["look"] = task.look
            whole["read"] = {**self._read_before(task), **record["read"]}
        if task.id not in self.described:
            whole["inputs"] = {name: text[:BRIEF] for name, text in task.inputs.items()}
            self.described.add(task.id)
        self.store.append(whole)
        self.plan.seen.add(whole)
        return compact(whole)


def artifact_file(key: str) -> str:
    """Return the file of an artifact in the results folder."""
    return f".cache/{key}.pt"


def _code(source: Source) -> Iterable[Path]:
    """Return the files of a plugin of the user's own and of all it imports."""
    own = source.origin != "stock" and source.file
    return contents.imports(Path(source.file)).modules.values() if own else ()


def no_path(text: str) -> str:
    """Replace paths by file names, so that a record contains no folders of this machine."""
    return re.sub(r"(?<![\w.])/(?:[^\s/:'\"]+/)+", "", text)
