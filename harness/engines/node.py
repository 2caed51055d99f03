"""The side of a node: processes of cells on a machine other than the driver's. It speaks plain data."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from harness.discovery import cache, contents
from harness.discovery.digests import digest
from harness.errors import BenchError, Failure
from harness.machine import versions
from harness.results.store import write
from harness.worker.child import Child
from harness.worker.offline import ENVIRONMENT
from harness.worker.supervisor import Server

NUMERICS = (
    *("OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "TORCH", "PYTORCH_", "CUBLAS_", "NVIDIA_TF32_", "KMP_", "GOMP_"),
    *("PYTHON", *ENVIRONMENT),
)
"""Beginnings of the names of variables that change numbers, or what is downloaded: a node has those of the driver."""


def carried() -> dict[str, str]:
    """Return this process's variables that every node gets."""
    return {name: value for name, value in os.environ.items() if name.startswith(NUMERICS)}


class Node:
    """The fork server of a machine and the files there. Every method takes and returns data that can be pickled.

    Its processes find modules on `path`; `variables` replace all of its own of NUMERICS.
    """

    def __init__(self, path: Sequence[str], variables: Mapping[str, str]) -> None:
        for name in carried():
            del os.environ[name]
        os.environ.update(variables)
        self._server, self._children = Server(path=path), dict[int, Child]()
        self._results = Path()

    def join(self, results: str, token: str) -> str:
        """Return the results folder as this machine sees it: the driver's if the token is there, else its own."""
        self._results = Path(results)
        if not Path(results, token).is_file():
            self._results = cache.folder("nodes") / digest(results)[:16]
            self._results.mkdir(parents=True, exist_ok=True)
        return str(self._results)

    def versions(self) -> dict[str, str | None]:
        """Return the versions that numbers depend on."""
        return versions()

    def differing(self, files: Mapping[str, str]) -> list[str]:
        """Return those files whose digests are other ones here."""
        return [name for name, digest in files.items() if contents.of_path(Path(name)) != digest]

    def start(self, number: int, log: str, training: bool, memory: int | None, grouped: bool) -> str | None:
        """Start a process, known by its number; return why it cannot be started, if so."""
        try:
            file = self._results / log
            self._children[number] = self._server.start(file, training=training, memory=memory, grouped=grouped)
        except (BenchError, Failure) as error:
            return str(error)
        return None

    def ask(self, number: int, question: bytes, timeout: float | None) -> Iterator[dict[str, Any]]:
        """Yield the progress of a question, then its answer or its failure."""
        said: SimpleQueue[dict[str, Any]] = SimpleQueue()
        threading.Thread(target=self._ask, args=(number, json.loads(question), timeout, said), daemon=True).start()
        while "progress" in (message := said.get()):
            yield message
        yield message

    def _ask(self, number: int, question: Any, timeout: float | None, said: SimpleQueue[dict[str, Any]]) -> None:
        try:
            answer: Any = object
            found = self._children[number].ask(question, answer, timeout, lambda share: said.put({"progress": share}))
            said.put({"answer": found})
        except Failure as failure:
            said.put({"failure": {"status": failure.status, "reason": failure.reason, "trace": [*failure.trace]}})
        except BaseException as error:  # the driver waits for a message
            said.put({"failure": {"status": "crashed", "reason": f"{type(error).__name__}: {error}"}})

    def kill(self, number: int) -> None:
        """End a process at once."""
        if child := self._children.get(number):
            child.kill()

    def close(self, number: int) -> None:
        """Let a process end."""
        if child := self._children.pop(number, None):
            child.close()

    def has(self, name: str, digest: str) -> bool:
        """Whether a file of the results folder is there."""
        return contents.of_path(self._results / name) == digest

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the results folder, whole or not at all."""
        file = self._results / name
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, data)

    def take(self, name: str) -> bytes | None:
        """Remove a file of the results folder and return its content; None if there is none."""
        file = self._results / name
        try:
            data = file.read_bytes()
        except OSError:
            return None
        file.unlink(missing_ok=True)
        return data

    def stop(self) -> None:
        """End every process."""
        self._server.__exit__()
