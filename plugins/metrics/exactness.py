"""How exact a method is, against a reference on another way."""

from __future__ import annotations

from typing import ClassVar

from harness import Metric, hookimpl


class Error(Metric):
    """The largest distance of an output from its reference, over what was checked. Lower is better.

    None where there is no reference. Biased downward: what was not checked may be worse.
    """

    better: ClassVar[str] = "lower"

    def __call__(self, error: float | None) -> float | None:
        return error


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [Error]
