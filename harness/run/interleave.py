"""Interleaved measurement: all contenders of a problem run at once, one active at a time, in blocks of random order.

A temporary disturbance of the machine then affects all contenders of a block alike, and blocks are compared.
Nothing is stored before the end: a problem is stored whole, or measured whole again.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness.engines import Place
from harness.errors import Failure
from harness.kinds.evaluation import StoppingDecision
from harness.results import Issue, StopReason
from harness.results.codec import data, typed
from harness.results.values import Blocks
from harness.run.context import RunContext
from harness.run.task import Task
from harness.run.worker_client import WorkerClient

if TYPE_CHECKING:
    from harness.results.records import Record
    from harness.worker.messages import Decision

T = TypeVar("T")


class Interleaved:
    """One problem's contenders, all on one place, the baseline first; `fail(task, failure)` hears of failures."""

    def __init__(
        self, site: RunContext, tasks: list[Task], fail: Callable[[Task, Failure], None], place: Place
    ) -> None:
        self._site, self._tasks, self._fail, self._place = site, tasks, fail, place
        self._wanted = tasks[0].wanted
        self._running: list[WorkerClient] = []
        self._blocks: list[dict[WorkerClient, Record]] = []
        self._sent: tuple[list[WorkerClient], int] = ([], 0)

    def run(self) -> None:
        """Measure until the runner decides to stop or all requested blocks are done, then store them."""
        opened = []
        try:
            for task in self._tasks:
                opened.append(WorkerClient(self._site, task, self._place))
            self._running = list(opened)
            for each in opened:
                self._asked(each, each.open)
            decision = self._measured()
        finally:
            for each in opened:
                each.close()
        for each in self._running:
            self._keep(each, decision)

    def _asked(self, each: WorkerClient, question: Callable[[], T]) -> T | None:
        """Return the result of a request, or None if it failed, which removes this contender."""
        try:
            return question()
        except Failure as failure:
            self._running.remove(each)
            self._fail(each.task, failure)
            return None

    def _measured(self) -> StoppingDecision:
        """Measure block after block; return the decision that ended it."""
        started, decision = time.monotonic(), StoppingDecision()
        for number in itertools.count():
            if not self._running:
                break
            self._block(number)
            decision = self._decision(time.monotonic() - started)
            counted = len(self._blocks) - decision.warm
            for each in self._running:
                self._site.conditions.listener.seeds_done(each.task, counted)
            if decision.stop is None and counted >= len(self._wanted):
                decision = dataclasses.replace(decision, stop=StopReason.ALL_BLOCKS)
            if decision.stop is not None:
                break
        return decision

    def _block(self, number: int) -> None:
        """Measure a turn of each contender, in random order. A block in which one fails does not count."""
        block = {}
        order = random.Random(f"{self._tasks[0].id} {number}")
        for each in order.sample(self._running, len(self._running)):
            record = self._asked(each, partial(each.measure, number))
            if record is None:
                return
            block[each] = record
        self._blocks.append(block)

    def _decision(self, spent: float) -> StoppingDecision:
        """Return the decision of a runner on the blocks so far: the first contender's with this code's revision.

        The runner receives only new blocks, or all again once a contender has failed.
        """
        if not self._running or not self._blocks:
            return StoppingDecision()
        judge = min(self._running, key=lambda each: each.task.cell["revision"] is not None)
        sent, count = self._sent
        known = count if sent == self._running else 0
        blocks = [[block[each]["auxiliary"] for each in self._running] for block in self._blocks[known:]]
        self._sent = ([*self._running], len(self._blocks))
        answer = self._asked(judge, lambda: judge.should_stop(blocks, known, spent))
        return StoppingDecision() if answer is None else _decided(answer)

    def _keep(self, each: WorkerClient, decision: StoppingDecision) -> None:
        """Store one record for all blocks that count; warm-up blocks are only in its raw samples."""
        assert decision.stop is not None
        records = [block[each] for block in self._blocks]
        counted = records[decision.warm :]
        task = each.task
        task.wanted = self._wanted[: len(counted)]
        notes = dict.fromkeys(note for record in counted for note in record["notes"])
        whole: Record = {
            **counted[-1],
            "metrics": _joined([record["metrics"] for record in counted]),
            "auxiliary": _joined([record["auxiliary"] for record in counted]),
            "block": "interleaved",
            "seeds": list(task.wanted),
            "raw_samples": _joined([record["raw_samples"] for record in records]),
            "blocks": data(Blocks(len(counted), decision.warm, decision.stop, decision.bound)),
            "issues": [*counted[-1]["issues"], *(data(issue) for issue in decision.issues)],
            "notes": list(notes),
            "skipped": {label: why for record in counted for label, why in record["skipped"].items()},
            "seconds": sum(record["seconds"] for record in counted),
            "peak_memory": max(record["peak_memory"] for record in counted),
        }
        task.records = [self._site.keep(task, whole)]


def _decided(answer: Decision) -> StoppingDecision:
    stop = None if answer["stop"] is None else StopReason(answer["stop"])
    issues = typed(list[Issue], answer["issues"])
    return StoppingDecision(answer["warm"], stop, answer["bound"], issues)


def _joined(parts: Sequence[Mapping[str, Sequence[T] | None]]) -> dict[str, list[T] | None]:
    """Concatenate the numbers of all parts by name; None if a part has none."""
    found: dict[str, list[T] | None] = {}
    for name in parts[0]:
        said = [numbers for part in parts if (numbers := part[name]) is not None]
        found[name] = [v for numbers in said for v in numbers] if len(said) == len(parts) else None
    return found
