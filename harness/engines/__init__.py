"""Engines: the machines on which the cells of a run are measured. `local` is this one, `ray` a cluster.

The driver, which is the command itself, alone writes records and results. An engine gives it places: on a place it
starts a process, asks it and ends it, and files of the results folder go there and come back.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from harness.errors import Failure
from harness.suite import Resources

if TYPE_CHECKING:
    from harness.worker.child import Progress
    from harness.worker.supervisor import Server

T = TypeVar("T")


class PlaceLost(Exception):
    """The machine of a place has gone, and with it the processes there; what they did not answer is asked again."""


class Process(Protocol):
    """A started process that handles one request at a time, as `harness.worker.child.Child` does."""

    def ask(
        self,
        question: Mapping[str, object],
        answer: type[T],
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> T:
        """Return its result, of the type `answer`. Raises Failure, and PlaceLost if its machine has gone."""

    def kill(self) -> None:
        """End it at once."""

    def close(self) -> None:
        """Let it end."""


class Place(ABC):
    """Room for the processes of one cell on one machine.

    `gpu` are the GPUs that they see, as CUDA_VISIBLE_DEVICES names them, None for all; `results` is the results folder
    as they see it. Files are named relative to that folder. Every method raises PlaceLost if the machine has gone.
    """

    gpu: str | None = None
    results: Path

    @property
    def is_lost(self) -> bool:
        """Whether the machine has gone."""
        return False

    @abstractmethod
    def start(self, log: str, *, training: bool = False, memory: int | None = None, grouped: bool = False) -> Process:
        """Return a new process, as `harness.worker.supervisor.Server.start` does; its output is added to a log."""

    @abstractmethod
    def bring(self, name: str) -> None:
        """Let a file of the driver's be there; nothing to do where the folder is the driver's own."""

    @abstractmethod
    def fetch(self, name: str) -> None:
        """Let the driver have a file that was written there, if it was."""


@dataclass(frozen=True)
class Demands:
    """Needs of a run, which an engine meets.

    `each` is what one cell takes, `jobs` the largest number of cells at once (None: as many as fit). `gpus` are those
    of this machine that may be used. If `alone`, one cell runs at a time, all of them on one machine. `files` gives the
    digests of the files that every machine must have, by path; `say` shows a line to the user.
    """

    server: Server
    results: Path
    each: Resources = field(default_factory=Resources)
    jobs: int | None = None
    gpus: Sequence[str] = ()
    address: str | None = None
    alone: bool = False
    timeout: float = 3600.0
    files: Callable[[], Mapping[str, str]] = field(default=dict)
    say: Callable[[str], None] = field(default=lambda line: None)


class Engine(ABC):
    """A number of places, from which cells take one and give it back. A context manager: leaving it closes the engine.

    A subclass says what places there are, and if they may be lost what there is instead.
    """

    is_remote = True
    """Whether there may be other machines than this one."""

    def __init__(self, demands: Demands) -> None:
        self.demands = demands
        self._every: list[Place] = []
        self._free: SimpleQueue[Place | None] = SimpleQueue()
        self._lock = threading.Lock()

    @abstractmethod
    def places(self) -> Sequence[Place]:
        """Make ready and return the places, one or more. Raises BenchError where a cell cannot run."""

    def replacements(self) -> Sequence[Place]:
        """Return new places, once some were lost."""
        return ()

    @abstractmethod
    def stop(self) -> None:
        """End every process at once; places are not used any more."""

    @abstractmethod
    def close(self) -> None:
        """End what `places` began."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> int:
        """Make the places ready, unless they are; return how many there are."""
        if not self._every:
            self._add(self.places())
        return len(self._every)

    @contextlib.contextmanager
    def place(self) -> Iterator[Place]:
        """Wait for a free place and yield it. Raises Failure if all are lost."""
        place = self._take()
        try:
            yield place
        finally:
            if place.is_lost:
                self._replace()
            else:
                self._free.put(place)

    def _take(self) -> Place:
        while (place := self._free.get()) is not None:
            if not place.is_lost:
                return place
        self._free.put(None)  # for the others that wait
        raise Failure("crashed", "every node was lost")

    def _replace(self) -> None:
        with self._lock:
            try:
                self._add(self.replacements())
            finally:
                if not self.working:
                    self._free.put(None)

    @property
    def working(self) -> int:
        """Number of places that are not lost."""
        return sum(not place.is_lost for place in self._every)

    def _add(self, places: Sequence[Place]) -> None:
        self._every += places
        for place in places:
            self._free.put(place)
