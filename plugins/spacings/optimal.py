"""Spacing of least cost."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from harness import BenchError, Schedule, Spacing, hookimpl

from ._times import check


class Optimal(Spacing):
    """Steps of least total cost, by dynamic programming (Watson et al., 2021).

    The K steps from T to 0 whose costs have the smallest sum. `cost` [T + 1, T + 1] holds the cost of the step from t
    (row) to s < t (column); infinity forbids a step. A cost that allows a step to 0 only from 1 gives the trajectories
    1 = tau_1 < ... < tau_K = T of Bao et al., 2022, section 4. Raises BenchError without a cost, for one of another
    shape, and where no K steps have a finite cost.
    """

    reference = """
    @misc{watson2021learning, author = {Watson, Daniel and Ho, Jonathan and Norouzi, Mohammad and Chan, William},
      title = {Learning to Efficiently Sample from Diffusion Probabilistic Models}, eprint = {2106.03802},
      archiveprefix = {arXiv}, year = {2021}}"""

    costs: ClassVar[bool] = True

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """Times, float64, strictly decreasing, exactly K + 1 of them."""
        check(self, schedule, steps)
        points = schedule.num_train_timesteps + 1
        if cost is None or cost.shape != (points, points):
            given = "none" if cost is None else [*cost.shape]
            raise BenchError(f"{self!r} needs a cost [{points}, {points}], one row a time from 0 to T: got {given}")
        totals, choices = least(cost, steps)
        if not bool(totals[steps, -1].isfinite()):
            raise BenchError(f"{self!r}: no {steps} steps from {schedule.num_train_timesteps} to 0 have a finite cost")
        return torch.tensor(path(choices, steps), dtype=torch.float64)


def least(cost: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Least total cost of exactly k steps (row) from t (column) to 0, and the time that the first of them leads to.

    Both [steps + 1, T + 1]; infinity where there are none. From t in k steps: one to some s < t, the others from there.
    """
    n = len(cost)
    stays = torch.ones(cost.shape, dtype=torch.bool).triu()
    cost = cost.detach().to("cpu", torch.float64).masked_fill(stays, torch.inf)
    totals = torch.full((steps + 1, n), torch.inf, dtype=torch.float64)
    choices = torch.zeros((steps + 1, n), dtype=torch.int64)
    totals[0, 0] = 0
    room = torch.empty_like(cost)  # allocating a new table per step would take longer than filling it
    for k in range(1, steps + 1):
        # k steps start at k or above, and lead to k - 1 or above.
        sums = torch.add(cost[k:, k - 1 : -1], totals[k - 1, k - 1 : -1], out=room[k:, k - 1 : -1])
        totals[k, k:], choice = sums.min(-1)
        choices[k, k:] = choice + k - 1
    return totals, choices


def path(choices: Tensor, steps: int) -> list[int]:
    """Times of the cheapest path from the last time to 0 in so many steps."""
    table = choices.numpy()
    times = [table.shape[1] - 1]
    for k in range(steps, 0, -1):
        times.append(int(table[k, times[-1]]))
    return times


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [Optimal]
