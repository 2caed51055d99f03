"""UniPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad

from harness import Sampler, Schedule, derived, hookimpl

from ._adams import fitted, of_data, orders, predictor
from ._linear import Levels, Plan, deterministic
from ._multistep import Multistep

if TYPE_CHECKING:
    from torch import Tensor


class Unipc(Multistep):
    """Predictor-corrector for x_0 in the log-SNR, bh2 (Zhao et al., 2023).

    x_0 is a polynomial in the log-SNR, with one evaluation per step. The network's output at the predicted point
    corrects that point, without further evaluation: the order is one more than the predictor's `solver_order`. Both
    start from the same earlier point, so the corrected one is the predicted one plus a combination of outputs, and
    prediction and correction together are one row of a table.
    """

    reference = """
    @inproceedings{zhao2023unipc, author = {Zhao, Wenliang and Bai, Lujia and Rao, Yongming and Zhou, Jie and Lu,
      Jiwen}, title = {{UniPC}: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models},
      booktitle = {Advances in Neural Information Processing Systems}, year = {2023}}"""

    order = derived(lambda self: self.solver_order + 1)

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """Table with one row per step."""
        levels = Levels.at(schedule, times)
        start, end = levels.starts(), levels.ends()
        order = orders(len(times) - 1, self.solver_order)
        predicted = end.signal[:, None] * predictor(levels.log_snr, order, of_data)
        scale = end.noise / start.noise
        weights = pad(predicted, (0, 1))
        if len(order) > 1:
            change = end.signal[:-1, None] * _corrector(levels.log_snr, order) - pad(predicted[:-1], (1, 0))
            weights[1:] += scale[1:, None] * change
        return deterministic("x0", times, scale, weights)


def _corrector(log_snr: Tensor, orders: Tensor) -> Tensor:
    """Weights [K - 1, largest order + 1] of the outputs up to the end of each step but the last, newest first."""
    weights = log_snr.new_zeros(len(orders) - 1, int(orders.max()) + 1)
    for order in orders[:-1].unique().tolist():
        rows = (orders[:-1] == order).nonzero()
        nodes = log_snr[rows + 1 - torch.arange(order + 1)] - log_snr[rows]
        weights[rows[:, 0], : order + 1] = fitted(nodes, of_data(nodes[:, 0], order + 1))
    return weights


@hookimpl
def components() -> list[type[Sampler]]:
    """The component classes of this module."""
    return [Unipc]
