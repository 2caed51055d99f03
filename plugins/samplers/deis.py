"""DEIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.samplers._adams import of_noise, predictor
from harness.stock.samplers._linear import Levels, Plan, deterministic
from harness.stock.samplers._multistep import Multistep

from harness import Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class DEIS(Multistep):
    """The multistep solver of dz = eps dr for eps as a polynomial in log r (Zhang and Chen, 2023).

    Order 1 is `ddim`. The first steps are of lower order; the last, to r = 0, need not be.
    """

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table, one row a step."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        order = torch.arange(1, len(times)).clamp(max=self.solver_order)
        # With u = log(r_t / r), dr = -r_t e^-u du.
        weights = -(end.signal * start.ratio)[:, None] * predictor(levels.log_snr, order, of_noise)
        return deterministic("eps", times, end.signal / start.signal, weights)


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DEIS]
