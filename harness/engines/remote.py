"""The side of the driver: what it has of the nodes, which run `harness.engines.node`."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from harness.discovery import contents
from harness.engines import Demands, Engine, Place, PlaceLost
from harness.errors import BenchError, Failure
from harness.machine import versions
from harness.results.store import write
from harness.worker.child import Progress
from harness.worker.frames import Misfit
from harness.worker.messages import answered

T = TypeVar("T")

SILENT = 60.0
"""Seconds beyond a question's limit after which a node that says nothing is lost."""


class Link(ABC):
    """Carries calls to a node. Its methods raise PlaceLost where the node does not answer any more."""

    @abstractmethod
    def call(self, method: str, *arguments: Any) -> Any:
        """Return what a method of the node returns."""

    @abstractmethod
    def stream(self, method: str, *arguments: Any, within: float | None) -> Iterator[Any]:
        """Yield what a method of the node yields, each within so many seconds."""

    def shared(self, file: Path) -> Any:
        """Return the content of a file, in whatever form an argument of `call` may have."""
        return file.read_bytes()


class RemoteEngine(Engine):
    """An engine of nodes. A subclass makes the links to them."""

    def __init__(self, demands: Demands) -> None:
        super().__init__(demands)
        self._here = demands.results.resolve()
        self._token = ""

    def joined(self, name: str, link: Link) -> RemoteNode:
        """Return a node that is compared with this machine. Raises BenchError, one line, if anything differs."""
        if not self._token:
            self._token = f".cache/{os.urandom(16).hex()}.token"
            (self._here / ".cache").mkdir(parents=True, exist_ok=True)
            write(self._here / self._token, b"")
        node = RemoteNode(name, link, self._here)
        node.check(self._token, self._files)
        return node

    def close(self) -> None:
        """End all processes."""
        self.stop()
        if self._token:
            (self._here / self._token).unlink(missing_ok=True)

    @functools.cached_property
    def _files(self) -> Mapping[str, str]:
        return self.demands.files()


class RemoteNode:
    """A node as the driver knows it: its `name` in messages, the way to it, and what files it has."""

    def __init__(self, name: str, link: Link, here: Path) -> None:
        self.name, self.lost, self.here = name, False, here
        self._link, self._numbers = link, itertools.count()
        self._brought: set[str] = set()
        self._lock = threading.Lock()
        self.results = here

    def check(self, token: str, files: Mapping[str, str]) -> None:
        """Compare the node with this machine, and agree on the results folder."""
        for what, there in self.call("versions").items():
            if (own := versions()[what]) != there:
                raise BenchError(f"node {self.name}: {what} is {there} there and {own} here")
        if differing := self.call("differing", files):
            first, more = differing[0], len(differing) - 1
            others = f", and so are {more} other files" if more else ""
            rule = "every node needs the files of this machine, at the same paths"
            raise BenchError(f"node {self.name}: {first} is missing or another one there{others}: {rule}")
        self.results = Path(self.call("join", str(self.here), token))

    def call(self, method: str, *arguments: Any) -> Any:
        """Call the node, unless it is lost already."""
        if self.lost:
            raise PlaceLost
        with self._losing():
            return self._link.call(method, *arguments)

    def stream(self, method: str, *arguments: Any, within: float | None) -> Iterator[Any]:
        """Yield what the node yields."""
        with self._losing():
            yield from self._link.stream(method, *arguments, within=within)

    def start(self, log: str, training: bool, memory: int | None, grouped: bool) -> RemoteProcess:
        """Start a process there."""
        number = next(self._numbers)
        if why := self.call("start", number, log, training, memory, grouped):
            raise Failure("crashed", why)
        return RemoteProcess(self, number, log)

    def bring(self, name: str) -> None:
        """Send a file of the results folder, unless the node has it."""
        with self._lock:
            if self.results != self.here and name not in self._brought:
                if not self.call("has", name, contents.of_path(self.here / name)):
                    self.call("write", name, self._link.shared(self.here / name))
                self._brought.add(name)

    def fetch(self, name: str) -> bytes | None:
        """Take a file from there and return its content; None if there is none, or the folder is the same."""
        found: bytes | None = None if self.results == self.here else self.call("take", name)
        return found

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except PlaceLost:
            self.lost = True
            raise


class RemotePlace(Place):
    """Room for a cell on a node."""

    def __init__(self, node: RemoteNode, gpu: str | None = None) -> None:
        self._node, self.results, self.gpu = node, node.results, gpu

    @property
    def is_lost(self) -> bool:
        """Whether the node has gone."""
        return self._node.lost

    def start(
        self, log: str, *, training: bool = False, memory: int | None = None, grouped: bool = False
    ) -> RemoteProcess:
        """Return a new process on the node."""
        return self._node.start(log, training, memory, grouped)

    def bring(self, name: str) -> None:
        """Send a file, once."""
        self._node.bring(name)

    def fetch(self, name: str) -> None:
        """Take a file from the node and write it here."""
        data = self._node.fetch(name)
        if data is not None:
            file = self._node.here / name
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, data)


class RemoteProcess:
    """A process on a node."""

    def __init__(self, node: RemoteNode, number: int, log: str) -> None:
        self._node, self._number, self._log = node, number, log

    def ask(
        self,
        question: Mapping[str, object],
        answer: type[T],
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> T:
        """Return its result, as `Child.ask` does. Raises PlaceLost too."""
        within = None if timeout is None else timeout + SILENT
        for message in self._node.stream("ask", self._number, json.dumps(question).encode(), timeout, within=within):
            if "failure" in message:
                failure = message["failure"]
                raise Failure(failure["status"], failure["reason"], failure.get("trace", []))
            if "answer" in message:
                return self._answered(answer, message["answer"])
            if progress is not None:
                progress(message["progress"])
        raise PlaceLost

    def _answered(self, answer: type[T], found: object) -> T:
        try:
            return answered(answer, found)
        except Misfit as misfit:
            self.kill()
            raise Failure("crashed", f"the process sent {misfit}") from None

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(PlaceLost):
            self._node.call("kill", self._number)

    def close(self) -> None:
        """Let it end, and add what it printed to the log here."""
        with contextlib.suppress(PlaceLost):
            self._node.call("close", self._number)
            if printed := self._node.fetch(self._log):
                file = self._node.here / self._log
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("ab") as stream:
                    stream.write(printed)
