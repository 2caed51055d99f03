"""Work that takes as long as it is told to."""

from __future__ import annotations

from torch import Tensor

from harness import PositiveInt, Transform, hookimpl


class Spin(Transform):
    """Counts, and then takes the softmax."""

    rounds: PositiveInt = 1000

    def __call__(self, logits: Tensor) -> Tensor:
        """The softmax [..., n]."""
        for _ in range(self.rounds):
            pass
        return logits.softmax(-1)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Spin]
