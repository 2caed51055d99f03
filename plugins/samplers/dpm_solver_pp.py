"""DPM-Solver++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.samplers._adams import of_data, orders, predictor
from harness.stock.samplers._linear import Levels, Plan, deterministic
from harness.stock.samplers._multistep import Multistep

from harness import Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class DPMSolverPp(Multistep):
    """The multistep solver of the probability flow for x_0 as a polynomial in the log-SNR (Lu et al., 2022).

    Order 1 is `ddim`, 2 is "2M" in its mid-point form. Of order 3 the published formula counts the second difference
    half, which leaves it at order 2; here it is whole. The first and the last steps are of lower order: before the
    first nothing is known, and a polynomial in the log-SNR does not reach t = 0.
    """

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table, one row a step."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        weights = end.signal[:, None] * predictor(levels.log_snr, orders(len(times) - 1, self.solver_order), of_data)
        return deterministic("x0", times, end.noise / start.noise, weights)


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [DPMSolverPp]
