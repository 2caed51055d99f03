"""Even grid."""

from __future__ import annotations

import torch
from harness.stock.grids._times import Times
from torch import Tensor

from harness import Grid, Schedule, hookimpl


class Even(Times):
    """K whole times evenly from 1 to T, both visited (Nichol and Dhariwal, 2021; Bao et al., 2022).

    round(1 + (T - 1) / (K - 1) k), halves to the even number; a single step starts at T.
    """

    def starts(self, schedule: Schedule, steps: int) -> Tensor:
        """The K times."""
        if steps == 1:
            return torch.tensor([schedule.steps])
        # The stride first, as in the papers' programs: where it is no binary number, halves round as they do there.
        return (1 + (schedule.steps - 1) / (steps - 1) * torch.arange(steps, dtype=torch.float64)).round()


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [Even]
