"""Handlers of a forked child: one method for each request."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Unpack, cast

from harness.discovery import opened
from harness.discovery.sources import Source
from harness.errors import BenchError, NotImported, Raised, Skip, described, one_line, own_line, text_of
from harness.random import seed_globals
from harness.results.store import writing
from harness.worker import offline
from harness.worker.checks import Checks, registry_of
from harness.worker.fork import forked, leave
from harness.worker.frames import LARGEST, Reader, Sender
from harness.worker.traces import trace as traced

if TYPE_CHECKING:
    from harness.base import Spec
    from harness.discovery.registry import Registry
    from harness.discovery.sources import SourceData
    from harness.fields import Json
    from harness.kinds.evaluation import CellRunner
    from harness.results.records import Record
    from harness.worker.messages import (
        CellData,
        FailureData,
        FailureStatus,
        Made,
        SamplingWishes,
        SetUp,
        Surroundings,
        Tuned,
    )

encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
decode = json.JSONDecoder().decode
"""Writer and reader of messages, kept before any plugin is imported, whatever one does to `json`."""


def converse(driver: socket.socket) -> None:
    """Handle requests until the driver closes its end; a copy of the process that a component forked sends nothing."""
    questions, answers = Reader(driver), Sender(driver)
    desk, owner = Worker(answers), os.getpid()
    os.register_at_fork(after_in_child=answers.renew)
    opened.watch()
    offline.obey()
    while True:
        try:
            question = decode(questions.wait().decode())
        except (EOFError, OSError):
            return
        desk.question = question.pop("id")
        answer = _encode({**_answer(desk, question), "id": desk.question})
        if os.getpid() != owner:
            leave(0)
        answers.send(answer)


def _answer(desk: Worker, question: dict[str, object]) -> Mapping[str, object]:
    try:
        handler: Callable[..., object] = getattr(desk, str(question.pop("ask")))
        return {"answer": handler(**question)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: a plugin may raise anything
        return _raised(error)


def _raised(error: BaseException) -> dict[str, FailureData]:
    """Return the failure for an exception, whatever its class and the plugin's changes to libraries do."""
    kind, text, place = type(error), text_of(error), ""
    status: FailureStatus = "skipped" if issubclass(kind, Skip) else "failed"
    trace: list[Raised] = []
    if status == "failed":
        with contextlib.suppress(BaseException):
            trace = traced(error)
    if text is not None and issubclass(kind, (Skip, BenchError)):
        return _failure(status, one_line(text), trace)
    if issubclass(kind, MemoryError):
        return _failure("oom", "out of memory", trace)
    with contextlib.suppress(BaseException):
        place = own_line(error)
    return _failure("oom" if _is_out_of_memory(error) else status, f"{one_line(described(error))}{place}", trace)


def _failure(status: FailureStatus, reason: str, trace: list[Raised] | None = None) -> dict[str, FailureData]:
    return {"failure": {"status": status, "reason": reason, "trace": trace or []}}


def _is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out: torch uses a message on the CPU and a class of its own on the GPU."""
    return "can't allocate memory" in (text_of(error) or "") or type(error).__name__ == "OutOfMemoryError"


def _encode(message: Mapping[str, object]) -> bytes:
    try:
        answer = encode(message).encode(errors="replace")  # a name of a file may be no text
        if len(answer) <= LARGEST:
            return answer
        failure = _failure("failed", f"the answer has {len(answer):,} bytes, at most {LARGEST:,} can be stored")
    except (TypeError, ValueError, RecursionError) as error:
        failure = _failure("failed", f"the answer cannot be stored: {error}")
    return encode({**failure, "id": message["id"]}).encode(errors="replace")


class OpenCell(NamedTuple):
    """A cell that is set up, its runner, its components, and the files that were read so far."""

    cell: CellData
    session: CellRunner
    registry: Registry
    read: Callable[[], dict[str, str]]


class Worker(Checks):
    """State of one child between requests: its open cell, the blocks it has received."""

    def __init__(self, answers: Sender) -> None:
        self._answers = answers
        self.question = 0
        self._reported = 0.0
        self._open: OpenCell | None = None
        self._blocks: list[Sequence[Mapping[str, list[float]]]] = []

    def report(self, done: float, total: float, **numbers: float) -> None:
        """Report the progress of the current request to the driver, at most ten times a second."""
        now = time.monotonic()
        if now - self._reported > 0.1 and total > 0 and math.isfinite(share := done / total) and share >= 0:
            self._reported = now
            self._answers.send(_encode({"progress": float(min(share, 1.0)), "id": self.question}))

    def gpus(self) -> int:
        """Return the number of CUDA devices that torch sees."""
        import torch

        return torch.cuda.device_count() if torch.cuda.is_available() else 0

    def describe(self, plugins: list[SourceData]) -> dict[str, object]:
        """Describe each plugin's components, or give the one line with the reason why it cannot be used."""
        from harness.discovery.registry import Registry

        registry = Registry()
        answer: dict[str, object] = {}
        for data in plugins:
            source = Source(**data)
            try:
                answer[source.name] = {"components": [registry.describe(cls, source) for cls in registry.add(source)]}
            except BenchError as error:
                answer[source.name] = {"error": str(error), "imported": not isinstance(error, NotImported)}
        return answer

    def make(
        self, plugins: list[SourceData], cell: CellData, kind: str, to: str, **where: Unpack[Surroundings]
    ) -> Made:
        """Make an artifact and store it under `to`."""
        from harness.worker import cells

        _see_only(where["gpu"])
        digest = cells.build_artifact(registry_of(plugins), cell, kind, Path(to), self.report, **where)
        return {"digest": digest, "read": _read(where)}

    def sample(
        self, plugins: list[SourceData], parts: Mapping[str, Spec], wishes: SamplingWishes, to: str
    ) -> list[int]:
        """Draw samples and store them as an array; return its shape."""
        import numpy

        from harness.diffusion.sampling import sample

        registry = registry_of(plugins)
        built = {kind: registry.build(kind, spec) for kind, spec in parts.items()}
        found = sample(built.pop("denoiser"), **built, **wishes).cpu().numpy()
        with writing(Path(to)):
            numpy.save(to, found)
        return [*found.shape]

    def setup(
        self, plugins: list[SourceData], cell: CellData, fresh: bool = False, **where: Unpack[Surroundings]
    ) -> SetUp:
        """Set up a cell, a `fresh` one without what it kept; return the number of seeds in a block, notes, issues."""
        from harness.results.codec import data
        from harness.worker import cells

        _see_only(where["gpu"])
        if fresh:  # a program must not go on where an earlier one stopped
            shutil.rmtree(where["scratch"], ignore_errors=True)
        registry = registry_of(plugins)
        session = cells.open_session(registry, cell, self.report, **where)
        self._open = OpenCell(cell, session, registry, partial(_read, where))
        registry.manager.hook.case_started(cell=cell)
        issues = [data(issue) for issue in session.issues]
        notes, slow = list(session.notes), dict(session.slow)
        return {"width": session.block_size, "notes": notes, "issues": issues, "slow": slow}

    def _opened(self) -> OpenCell:
        if self._open is None:
            raise BenchError("no cell is set up")
        return self._open

    def tune(self) -> Tuned:
        """Choose the fields that the suite tunes."""
        seed_globals(0, "tune")
        started, cell = time.perf_counter(), self._opened()
        chosen = cell.session.tune()
        return cast("Tuned", {**chosen, "seconds": time.perf_counter() - started, "read": cell.read()})

    def measure(self, seeds: list[int], tuned: dict[str, Json], units: str) -> Record:
        """Return the values of one block; per-example results go to the file `units`."""
        from harness.worker import cells

        cell, session, registry, read = self._opened()
        block = partial(cells.measure, session, seeds, tuned, Path(units), cell["metrics"])

        def measure() -> Record:
            return {**block(), "read": read()}

        answer = forked(measure) if session.fork_per_block else measure()
        registry.manager.hook.case_finished(cell=cell, values=answer)
        return answer

    def should_stop(self, blocks: list[Sequence[Mapping[str, list[float]]]], known: int, spent: float) -> Json:
        """Return the runner's decision on the interleaved blocks so far: the first `known` of them and these."""
        self._blocks[known:] = blocks
        from harness.results.codec import data

        return data(self._opened().session.should_stop(self._blocks, spent))

    def analyse(self, run: dict[str, Json]) -> Json:
        """Return a run with its statistics."""
        from harness.analysis import analyse
        from harness.results import MeasuredRun
        from harness.results.codec import data, typed

        return data(analyse(typed(MeasuredRun, run)))


def _see_only(gpu: str | None) -> None:
    """Let this process, which has not used CUDA yet, see one GPU alone, and the programs that it runs."""
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu


def _read(where: Surroundings) -> dict[str, str]:
    return opened.found(Path(where["folder"]), Path(where["results"]), where["known"])
