"""A loss that does what the table says when it is asked for a seed's number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import Loss, hookimpl
from tests.faults import answers, endings, exceptions, global_state, processes, resources
from tests.faults.table import FAULTS, right

CHAPTERS = (exceptions, endings, processes, resources, answers, global_state)
"""Modules that fill the table."""


class Faulty(Loss):
    """One fault of the table, by its name."""

    how: str

    def __call__(self, seeds: Sequence[int], case: Any) -> Any:
        fault = FAULTS[self.how]
        answer = fault.act(seeds)
        return answer if fault.answers else right(seeds)


@hookimpl
def components() -> list[type]:
    """The loss of every row of the table."""
    return [Faulty]
