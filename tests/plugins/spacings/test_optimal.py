"""The grid of least cost against every subset, a plain triple loop and a published trajectory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from harness import BenchError
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())
GRID: Any = REGISTRY.build("spacing", "optimal")


def linear(steps: int = 1000) -> Any:
    return REGISTRY.build("schedule", {"name": "linear", "num_train_timesteps": steps})


def su(steps: int) -> Any:
    return REGISTRY.build("schedule", {"name": "su", "num_train_timesteps": steps})


def total(cost: Tensor, times: list[float]) -> float:
    return sum(float(cost[int(t), int(s)]) for t, s in itertools.pairwise(times))


def draw(T: int, seed: int) -> Tensor:
    """Whole costs, negative ones too, so that sums are exact; nonsense where no step leads."""
    cost = torch.randint(-50, 50, (T + 1, T + 1), generator=torch.Generator().manual_seed(seed)).double()
    return cost.masked_fill(torch.ones(T + 1, T + 1).triu().bool(), math.nan)


@pytest.mark.parametrize("T", [1, 2, 5, 9])
@pytest.mark.parametrize("seed", range(5))
def test_no_subset_is_cheaper(T: int, seed: int) -> None:
    cost = draw(T, seed)
    for steps in range(1, T + 1):
        found = GRID.times(su(T), steps, cost)
        assert found.dtype == torch.float64 and len(found) == steps + 1 and bool((found.diff() < 0).all())
        assert found[0] == T and found[-1] == 0
        between = itertools.combinations(range(T - 1, 0, -1), steps - 1)
        assert total(cost, found.tolist()) == min(total(cost, [T, *some, 0]) for some in between)


def test_a_triple_loop_finds_the_same() -> None:
    T = 40
    cost = draw(T, 7)
    table = [[math.inf] * (T + 1) for _ in range(T + 1)]
    table[0][0] = 0.0
    for k in range(1, T + 1):
        for t in range(1, T + 1):
            for s in range(t):
                table[k][t] = min(table[k][t], float(cost[t, s]) + table[k - 1][s])
    for steps in range(1, T + 1):
        assert total(cost, GRID.times(linear(T), steps, cost).tolist()) == table[steps][T]


def mixture_cost() -> Tensor:
    """log(1 - beta_{t|s} Gamma_t) for .3 N(-1, .01) + .7 N(1, .04); data are reached from 1 alone, at no cost."""
    a = linear().alpha_bar(torch.arange(1001)).numpy()
    x = numpy.linspace(-8, 8, 8001)
    gamma = numpy.ones(1001)
    for t in range(1, 1001):
        variance = a[t] * numpy.array([0.01, 0.04]) + 1 - a[t]
        away = x[:, None] - math.sqrt(a[t]) * numpy.array([-1.0, 1.0])
        parts = numpy.array([0.3, 0.7]) * numpy.exp(-(away**2) / 2 / variance) / numpy.sqrt(2 * math.pi * variance)
        density, slope = parts.sum(1), -(parts * away / variance).sum(1)
        gamma[t] = (slope**2 / numpy.maximum(density, 1e-300)).sum() * (x[1] - x[0])
    assert (1 - a[100]) * gamma[100] == pytest.approx(0.73331441, abs=1e-7)
    with numpy.errstate(all="ignore"):
        cost = numpy.log(1 - (1 - a[:, None] / a[None]) * gamma[:, None])
    cost[:, 0] = math.inf
    cost[1, 0] = 0
    return torch.from_numpy(cost)


def test_the_known_optimum_of_a_mixture() -> None:
    cost = mixture_cost()
    found = GRID.times(linear(), 5, cost).tolist()
    assert found == [1000, 165, 116, 75, 1, 0]
    assert total(cost, found) == pytest.approx(-11.9927, abs=5e-5)
    even = REGISTRY.build("spacing", "even").times(linear(), 5).tolist()
    assert total(cost, even) == pytest.approx(-10.3917, abs=5e-5)


def test_every_number_of_steps_of_a_thousand() -> None:
    from harness.stock.spacings import optimal

    cost = torch.rand(1001, 1001, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    totals, choices = optimal.least(cost, 1000)
    paths = [optimal.path(choices, steps) for steps in range(1, 1001)]
    for steps in (1, 2, 37, 500, 999, 1000):
        assert len(paths[steps - 1]) == steps + 1
        assert total(cost, paths[steps - 1]) == pytest.approx(float(totals[steps, -1]), rel=1e-12)


def test_infinity_forbids_a_step() -> None:
    cost = torch.ones(6, 6)
    cost[5, 4] = cost[5, 3] = -9
    cost[5, :4] = torch.inf
    assert GRID.times(su(5), 2, cost).tolist() == [5, 4, 0]
    with pytest.raises(BenchError, match="no 1 steps from 5 to 0"):
        GRID.times(su(5), 1, cost)


@pytest.mark.parametrize(
    ("cost", "says"), [(None, "got none"), (torch.zeros(5, 6), r"got \[5, 6\]"), (torch.zeros(5, 5), r"\[6, 6\]")]
)
def test_a_cost_of_every_step_is_needed(cost: Tensor | None, says: str) -> None:
    with pytest.raises(BenchError, match=says):
        GRID.times(su(5), 2, cost)


def test_it_says_that_it_needs_costs() -> None:
    assert GRID.costs and not REGISTRY.build("spacing", "even").costs
