"""The table of faults during a cell: each is a function that does something wrong, with the status and reason due."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Act = Callable[[Sequence[int]], Any]


class Fault(NamedTuple):
    """What a cell does when it is asked for some seeds, and the row that it must become.

    `reason` is a regular expression that the row's reason begins with. Where the status is ok, or with `answers` false,
    the right numbers are answered after the act; otherwise what it returns is the answer to the question. One that is
    `alone` ends other cells that run at the same time.
    """

    act: Act
    status: str
    reason: str
    answers: bool
    alone: bool


FAULTS: dict[str, Fault] = {}


def becomes(status: str, reason: str = "", *, answers: bool = False, alone: bool = False) -> Callable[[Act], Act]:
    """Enter a function into the table under its name."""

    def enter(act: Act) -> Act:
        name = act.__name__.strip("_")
        assert name not in FAULTS, name
        FAULTS[name] = Fault(act, status, reason, answers, alone)
        return act

    return enter


def right(seeds: Sequence[int]) -> list[float]:
    """The numbers that a cell without a fault answers."""
    return [1 + seed / 100 for seed in seeds]
