"""Lockstep: all contenders of a problem alive together, one active at a time, in complete blocks in random order.

What disturbs the machine for a while then disturbs every contender of a block alike, and blocks are what is compared.
Nothing is kept before the end: a problem is stored whole, or measured whole again.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from harness.errors import Failure
from harness.planning.problems import EVERY_BLOCK
from harness.planning.tasks import Task
from harness.ruling import Ruling
from harness.running.conversation import Conversation
from harness.running.site import Site

T = TypeVar("T")
Record = dict[str, Any]


class Lockstep:
    """One problem's contenders, the baseline first; `fail(task, failure)` is told of every one that falls out."""

    def __init__(self, site: Site, tasks: list[Task], fail: Callable[[Task, Failure], None]) -> None:
        self._site, self._tasks, self._fail = site, tasks, fail
        self._wanted = tasks[0].wanted
        self._running: list[Conversation] = []
        self._blocks: list[dict[Conversation, Record]] = []
        self._told: tuple[list[Conversation], int] = ([], 0)

    def run(self) -> None:
        """Measure until the session rules that it is enough or all blocks asked for are there, then keep them."""
        opened = []
        try:
            for task in self._tasks:
                opened.append(Conversation(self._site, task))
            self._running = list(opened)
            for each in opened:
                self._asked(each, each.open)
            ruling = self._measured()
        finally:
            for each in opened:
                each.close()
        for each in self._running:
            self._keep(each, ruling)

    def _asked(self, each: Conversation, question: Callable[[], T]) -> T | None:
        """The answer; None where there is none, and this contender is no longer part of the problem."""
        try:
            return question()
        except Failure as failure:
            self._running.remove(each)
            self._fail(each.task, failure)
            return None

    def _measured(self) -> Ruling:
        """Block after block; the ruling that ended it."""
        started, ruling = time.monotonic(), Ruling()
        for number in itertools.count():
            if not self._running:
                break
            self._block(number)
            ruling = self._ruling(time.monotonic() - started)
            counted = len(self._blocks) - ruling.warm
            for each in self._running:
                self._site.conditions.listener.told(each.task, counted)
            if ruling.stop is None and counted >= len(self._wanted):
                ruling = dataclasses.replace(ruling, stop=EVERY_BLOCK)
            if ruling.stop is not None:
                break
        return ruling

    def _block(self, number: int) -> None:
        """A turn for everybody, in random order. A block in which somebody falls out counts for nobody."""
        block = {}
        order = random.Random(f"{self._tasks[0].id} {number}")
        for each in order.sample(self._running, len(self._running)):
            record = self._asked(each, lambda each=each: each.measure(number))  # type: ignore[misc]
            if record is None:
                return
            block[each] = record
        self._blocks.append(block)

    def _ruling(self, spent: float) -> Ruling:
        """What the session of the first contender of this code's own says of the blocks so far.

        It is told of those it does not know yet. Once somebody has fallen out, all blocks are others.
        """
        if not self._running or not self._blocks:
            return Ruling()
        judge = min(self._running, key=lambda each: each.task.cell["revision"] is not None)
        told, count = self._told
        known = count if told == self._running else 0
        blocks = [[block[each]["extra"] for each in self._running] for block in self._blocks[known:]]
        self._told = ([*self._running], len(self._blocks))
        answer = self._asked(judge, lambda: judge.rule(blocks, known, spent))
        return Ruling() if answer is None else Ruling(**answer)

    def _keep(self, each: Conversation, ruling: Ruling) -> None:
        """One record for all blocks that count; what was only warming up is left out, and is in its raw samples."""
        records = [block[each] for block in self._blocks]
        counted = records[ruling.warm :]
        task = each.task
        task.wanted = self._wanted[: len(counted)]
        together = {name: _joined([record[name] for record in counted]) for name in ("metrics", "extra")}
        notes = dict.fromkeys(note for record in counted for note in record["notes"])
        record = {
            **counted[-1],
            **together,
            "block": "lockstep",
            "seeds": list(task.wanted),
            "raw": _joined([record["raw"] for record in records]),
            "warm": ruling.warm,
            "stop": ruling.stop,
            "warnings": list(ruling.warnings),
            "notes": [*notes, f"blocks: {len(counted)} after {ruling.warm} to warm up; {ruling.stop}"],
            "seconds": sum(record["seconds"] for record in counted),
            "peak_bytes": max(record["peak_bytes"] for record in counted),
        }
        task.records = [self._site.keep(task, record)]


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """By name, the numbers of all parts after each other; None where a part has nothing to say."""
    return {
        name: None if any(part[name] is None for part in parts) else [v for part in parts for v in part[name]]
        for name in parts[0]
    }
