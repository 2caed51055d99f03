"""The other side of the conversation: what a forked child does with each question."""

from __future__ import annotations

import dataclasses
import json
import os
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.discovery.sources import Source
from harness.engines.forked import forked
from harness.errors import BenchError, Skip

LONGEST = 300
"""The most characters of an exception's text that a reason repeats."""


def converse(connection: Connection) -> None:
    """Answer questions until the driver closes its end."""
    desk = Desk(connection)
    while True:
        try:
            question = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        connection.send_bytes(_encode(_answer(desk, question)))


def _answer(desk: Desk, question: dict[str, Any]) -> dict[str, Any]:
    try:
        handler: Callable[..., Any] = getattr(desk, question.pop("ask"))
        return {"answer": handler(**question)}
    except Skip as reason:
        return _failure("skipped", _line(str(reason)))
    except MemoryError:
        return _failure("oom", "out of memory")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        traceback.print_exc()
        if isinstance(error, BenchError):
            return _failure("failed", _line(str(error)))
        text = _line(f"{type(error).__name__}: {error}".removesuffix(": "))
        return _failure("oom" if _is_out_of_memory(error) else "failed", f"{text}{_own_line(error)}")


def _failure(status: str, reason: str) -> dict[str, Any]:
    return {"failure": {"status": status, "reason": reason}}


def _line(text: str) -> str:
    """One printable line, however long or odd the text that an exception carries."""
    first = (text.strip().splitlines() or ["no reason given"])[0]
    line = "".join(c if c.isprintable() else " " for c in first)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


def _is_out_of_memory(error: BaseException) -> bool:
    """torch says it in words on the CPU and with a class of its own on the GPU."""
    return "can't allocate memory" in str(error) or type(error).__name__ == "OutOfMemoryError"


def _own_line(error: BaseException) -> str:
    """The last line outside the libraries: where a plugin's author looks first."""
    library = str(Path(os.__file__).parent)
    every = traceback.extract_tb(error.__traceback__)
    frames = [f for f in every if "site-packages" not in f.filename and not f.filename.startswith((library, "<"))]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _encode(message: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(message).encode()
    except (TypeError, ValueError) as error:
        return json.dumps(_failure("failed", f"the answer cannot be stored: {error}")).encode()


class Desk:
    """One child's memory between questions: its registry, its session, its open cell."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told = 0.0
        self._session: Any = None
        self._blocks: list[Any] = []
        self._registry: Any = None
        self._cell: Mapping[str, Any] = {}

    def report(self, done: float, total: float, **numbers: float) -> None:
        """Tell the driver how far the present question is, at most ten times a second."""
        now = time.monotonic()
        if now - self._told > 0.1 and total > 0:
            self._told = now
            self._connection.send_bytes(json.dumps({"progress": min(done / total, 1.0)}).encode())

    def has_cuda(self) -> bool:
        """Whether torch sees a CUDA device."""
        import torch

        return torch.cuda.is_available()

    def describe(self, plugins: list[dict[str, Any]]) -> dict[str, Any]:
        """What each plugin brings, or the one line that says why it cannot be used."""
        from harness.discovery.registry import Registry

        registry = Registry()
        answer: dict[str, Any] = {}
        for data in plugins:
            source = Source(**data)
            try:
                answer[source.name] = {"components": [registry.describe(cls, source) for cls in registry.add(source)]}
            except BenchError as error:
                answer[source.name] = {"error": str(error)}
        return answer

    def make(self, plugins: list[dict[str, Any]], cell: dict[str, Any], kind: str, to: str, **case: Any) -> str:
        """Make an artifact and store it under `to`; answers its digest."""
        from harness.engines import cells

        return cells.make(self._register(plugins), cell, kind, Path(to), report=self.report, **case)

    def certify(self, plugins: list[dict[str, Any]], kind: str, spec: dict[str, Any]) -> list[Any]:
        """(name, passed, sentence) of every certificate of a component."""
        from harness.certificates import certify

        return certify(self._register(plugins).build(kind, spec))

    def setup(self, plugins: list[dict[str, Any]], cell: dict[str, Any], **case: Any) -> dict[str, Any]:
        """Set up a cell; answers how many seeds make a block and what there is to say about it."""
        from harness.engines import cells

        registry = self._register(plugins)
        self._cell = cell
        self._session = cells.open_session(registry, cell, report=self.report, **case)
        registry.manager.hook.case_started(cell=cell)
        return {"width": self._session.width, "notes": list(self._session.notes)}

    def tune(self) -> dict[str, Any]:
        """Choose what the suite asked to tune."""
        started = time.perf_counter()
        return {**self._session.tune(), "seconds": time.perf_counter() - started}

    def measure(self, seeds: list[int], tuned: dict[str, Any], units: str) -> dict[str, Any]:
        """The values of one block; per-example results go to the file `units`."""
        from harness.engines import cells

        measure = partial(cells.measure, self._session, seeds, tuned, Path(units), self._cell["measure"])
        answer = forked(measure) if self._session.fresh else measure()
        self._registry.manager.hook.case_finished(cell=self._cell, values=answer)
        return answer

    def rule(self, blocks: list[Any], known: int, spent: float) -> dict[str, Any]:
        """What the session says of the blocks measured in lockstep so far: the first `known` of them and these."""
        self._blocks[known:] = blocks
        return dataclasses.asdict(self._session.rule(self._blocks, spent))

    def analyse(self, run: dict[str, Any]) -> dict[str, Any]:
        """The statistics of a run."""
        from harness.analysis import analyse

        return analyse(run)

    def _register(self, plugins: list[dict[str, Any]]) -> Any:
        from harness.discovery.registry import Registry

        self._registry = Registry(Source(**data) for data in plugins)
        return self._registry
