"""Progress of a run: a bar with the remaining time on a terminal, or with -v one line per finished cell."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, TextIO

from harness.base import label
from harness.run.context import ProgressListener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from harness.results.store import Damage
    from harness.run.artifacts import Artifact
    from harness.run.task import Task


class Progress(ProgressListener):
    """Shows progress on a stream that carries no data, as a context manager.

    A live bar appears only on a terminal; elsewhere `verbose` writes one line per cell instead.
    """

    def __init__(self, stream: TextIO = sys.stderr, *, quiet: bool = False, verbose: bool = False) -> None:
        self._stream, self._verbose = stream, verbose and not quiet
        self._live = stream.isatty() and not quiet
        self._bar: tuple[Bar, TaskID] | None = None
        self._lock = threading.Lock()
        self._seeds: dict[int, float] = {}
        self._done = 0.0
        self._quiet, self._shown = False, 0.0
        self._slow: set[str] = set()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar[0].stop()

    def expect(self, tasks: list[Task], quiet: bool = False) -> None:
        """Set the tasks of the run, which determine the length of the bar. A `quiet` bar moves only in `seeds_done`."""
        self._quiet = quiet
        self._seeds = {id(task): len(task.wanted) - len(task.missing) for task in tasks}
        self._done = sum(self._seeds.values())
        if not self._live or all(self._seeds[id(task)] == len(task.wanted) for task in tasks):
            return
        self._stop()
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("seeds"))
        bar = Bar(
            *columns,
            TimeRemainingColumn(),
            console=Console(file=self._stream),
            transient=True,
            refresh_per_second=4,
            auto_refresh=not quiet,
        )
        total = sum(len(task.wanted) for task in tasks)
        self._bar = bar, bar.add_task("starting", total=total, completed=int(self._done))
        bar.start()

    def damaged(self, found: Sequence[Damage]) -> None:
        """Say which files of records cannot be read whole."""
        for each in found:
            from harness.report.words import damage

            print(f"bench: {damage(each)}", file=self._stream)

    def downloads(self, names: Sequence[str]) -> None:
        """Say what the run downloads."""
        for name in names:
            print(f"bench: {name} is not on this machine, it is downloaded now", file=self._stream, flush=True)

    def slow(self, seconds: Mapping[str, float]) -> None:
        """Say which metrics take long; each once."""
        from harness.report.number_format import duration

        with self._lock:
            new = [name for name in seconds if name not in self._slow]
            self._slow.update(new)
        for name in new:
            print(f"bench: {name} takes about {duration(seconds[name])} for a seed", file=self._stream, flush=True)

    def building(self, artifact: Artifact, share: float) -> None:
        """Show the progress of an artifact that several cells share."""
        name = artifact.name
        if self._bar is not None:
            bar, line = self._bar
            bar.update(line, description=f"making {name}"[:34] + f" {share:4.0%}")
        elif self._verbose and share == 1:
            print(f"made {name}", file=self._stream, flush=True)

    def say(self, line: str) -> None:
        """Say what the run waits for."""
        print(f"bench: {line}", file=self._stream, flush=True)

    def seeds_done(self, task: Task, seeds: float) -> None:
        """Show how many seeds of a task are done."""
        with self._lock:
            before = self._seeds.get(id(task), 0)
            seeds = min(max(seeds, before), len(task.wanted))  # a second part of one seed's work
            self._seeds[id(task)] = seeds
            self._done += seeds - before
            name = _name(task)
            if self._bar is not None:
                bar, line = self._bar
                bar.update(line, completed=self._done, description=name[:40])
                if self._quiet and time.monotonic() - self._shown > 1:
                    self._shown = time.monotonic()
                    bar.refresh()
            elif self._verbose and before < seeds == len(task.wanted):
                print(f"done {name}", file=self._stream, flush=True)


def _name(task: Task) -> str:
    return " / ".join(str(value) for value in task.cell["vary"].values()) or label(task.cell["protocol"])
