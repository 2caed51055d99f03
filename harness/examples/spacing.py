"""A spacing: the times that a sampler visits."""

import torch
from torch import Tensor

from harness import BenchError, Schedule, Spacing, UnitInterval, hookimpl


class Geometric(Spacing):
    """Each time is the same share of the one before; the last is 0."""

    share: UnitInterval = 0.5

    def times(
        self,
        schedule: Schedule,
        steps: int,
        cost: Tensor | None = None,
    ) -> Tensor:
        """Float64 times [steps + 1], from T down to 0."""
        total = schedule.num_train_timesteps
        if not 1 <= steps <= total:
            raise BenchError(f"geometric: {steps} steps, expected 1 to {total}")
        powers = torch.arange(steps, dtype=torch.float64)
        return torch.cat([total * self.share**powers, torch.zeros(1).double()])


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Geometric]
