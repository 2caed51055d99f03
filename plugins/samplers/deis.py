"""DEIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Sampler, Schedule, hookimpl

from ._adams import of_noise, predictor
from ._linear import Levels, Plan, deterministic
from ._multistep import Multistep

if TYPE_CHECKING:
    from torch import Tensor


class DEIS(Multistep):
    """Exponential-integrator multistep solver (Zhang and Chen, 2023).

    Solves dz = eps dr for eps as a polynomial in log r. Order 1 is `ddim`. The first steps are of lower order; the
    last, to r = 0, need not be.
    """

    reference = """
    @inproceedings{zhang2023deis, author = {Zhang, Qinsheng and Chen, Yongxin}, title = {Fast Sampling of Diffusion
      Models with Exponential Integrator}, booktitle = {International Conference on Learning Representations},
      year = {2023}}"""

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with one row per step."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        order = torch.arange(1, len(times)).clamp(max=self.solver_order)
        # With u = log(r_t / r), dr = -r_t e^-u du.
        weights = -(end.signal * start.ratio)[:, None] * predictor(levels.log_snr, order, of_noise)
        return deterministic("eps", times, end.signal / start.signal, weights)


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [DEIS]
