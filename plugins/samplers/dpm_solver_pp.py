"""DPM-Solver++."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Sampler, Schedule, hookimpl

from ._adams import of_data, orders, predictor
from ._linear import Levels, Plan, deterministic
from ._multistep import Multistep

if TYPE_CHECKING:
    from torch import Tensor


class DPMSolverPp(Multistep):
    """Multistep solver for the probability flow (Lu et al., 2022).

    It integrates x_0 as a polynomial in the log-SNR. Order 1 is `ddim`, 2 is "2M" in its midpoint form. For order 3
    the published formula halves the second difference, which leaves it at order 2; here it counts in full. The first
    and the last steps are of lower order: before the first there are no earlier outputs, and a polynomial in the
    log-SNR does not reach t = 0.
    """

    reference = """
    @misc{lu2022dpmsolverpp, author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li, Chongxuan
      and Zhu, Jun}, title = {{DPM-Solver++}: Fast Solver for Guided Sampling of Diffusion Probabilistic
      Models}, eprint = {2211.01095}, archiveprefix = {arXiv}, year = {2022}}"""

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with one row per step."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        weights = end.signal[:, None] * predictor(levels.log_snr, orders(len(times) - 1, self.solver_order), of_data)
        return deterministic("x0", times, end.noise / start.noise, weights)


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DPMSolverPp]
