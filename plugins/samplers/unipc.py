"""UniPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from harness.stock.samplers._adams import fitted, of_data, orders, predictor
from harness.stock.samplers._linear import Levels, Plan, deterministic
from harness.stock.samplers._multistep import Multistep
from torch.nn.functional import pad

from harness import Sampler, Schedule, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Unipc(Multistep):
    """Predictor and corrector for x_0 as a polynomial in the log-SNR, one evaluation a step (Zhao et al., 2023; bh2).

    The network's answer at the predicted point corrects that point, at no further evaluation: the order is one more
    than the predictor's `solver_order`. Both start from the same earlier point, so the corrected one is the predicted
    one plus a combination of answers, and prediction and correction together are one row of a table.
    """

    @property
    def order(self) -> float | None:
        """One more than the predictor's."""
        return self.solver_order + 1

    def table(self, schedule: Schedule, times: Tensor) -> Plan:
        """The table, one row a step."""
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
    """Weights [K - 1, largest order + 1] of the answers up to the end of each step but the last, newest first."""
    weights = log_snr.new_zeros(len(orders) - 1, int(orders.max()) + 1)
    for order in orders[:-1].unique().tolist():
        rows = (orders[:-1] == order).nonzero()
        nodes = log_snr[rows + 1 - torch.arange(order + 1)] - log_snr[rows]
        weights[rows[:, 0], : order + 1] = fitted(nodes, of_data(nodes[:, 0], order + 1))
    return weights


@hookimpl
def components() -> list[type[Sampler]]:
    """What this file brings."""
    return [Unipc]
