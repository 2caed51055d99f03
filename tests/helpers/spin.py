"""Work that takes as long as it is told to."""

from __future__ import annotations

from torch import Tensor

from harness import Count, Transform, hookimpl


class Spin(Transform):
    """Counts, and changes nothing."""

    rounds: Count = 1000

    def __call__(self, logits: Tensor) -> Tensor:
        """[..., n] as they are."""
        for _ in range(self.rounds):
            pass
        return logits


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [Spin]
