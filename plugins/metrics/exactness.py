"""Error of a method against a reference computed in another way."""

from __future__ import annotations

from typing import ClassVar

from harness import Metric, hookimpl


class MaxAbsError(Metric):
    """Largest distance of an output from its reference.

    Taken over the checked inputs. Lower is better. None where there is no reference. Biased downward: inputs that were
    not checked may be worse.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, error: float | None) -> float | None:
        return error


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [MaxAbsError]
