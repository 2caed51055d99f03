"""What fitting a variance and finding an optimal trajectory cost; one thread."""

from __future__ import annotations

import importlib
import math
import time
from typing import Any

import torch
from pytest_benchmark.fixture import BenchmarkFixture

import harness

STEPS, SMALL = 1000, 100


def test_a_pass_of_statistics_over_a_thousand_steps(benchmark: BenchmarkFixture) -> None:
    """Of the digits network at every time, 1,000 draws each: at most 60 CPU-seconds. What it learned costs the same."""
    schedule = {"name": "cosine", "num_train_timesteps": STEPS if benchmark.enabled else 20}
    made = harness.component("denoiser", "digits", steps_of_training=2, schedule=schedule)
    generator = torch.Generator().manual_seed(0)
    ready = harness.DiffusionModel(made, made.load("cpu", weights=made.train(generator, lambda *_: None)))
    data, threads = ready.training_samples(4096, generator), torch.get_num_threads()
    torch.set_num_threads(1)
    began = time.process_time()
    fit = harness.component("variance", "analytic").fit
    benchmark.pedantic(fit, (ready, data, generator), rounds=1)
    spent = time.process_time() - began
    torch.set_num_threads(threads)
    print(f"\nstatistics of 1,000 times: {spent:.1f} CPU-s")
    if benchmark.enabled:
        assert spent <= 60


def test_all_trajectories_of_a_thousand_times(benchmark: BenchmarkFixture) -> None:
    """Every number of steps at once, at most 2 s, beside a plain triple loop, which is measured at 100 times."""
    least = importlib.import_module("harness.stock.spacings.optimal").least
    draws, threads = torch.Generator().manual_seed(0), torch.get_num_threads()
    cost = torch.rand(STEPS + 1, STEPS + 1, generator=draws, dtype=torch.float64)
    torch.set_num_threads(1)
    began = time.process_time()
    benchmark.pedantic(least, (cost, STEPS) if benchmark.enabled else (cost[:11, :11], 10), rounds=1)
    spent = time.process_time() - began
    torch.set_num_threads(threads)
    small = cost[: SMALL + 1, : SMALL + 1]
    began = time.process_time()
    table = plain(small.tolist())
    loop = (time.process_time() - began) * (STEPS / SMALL) ** 3
    assert torch.equal(least(small, SMALL)[0][:, -1], torch.tensor([row[-1] for row in table], dtype=torch.float64))
    print(f"\nall trajectories of 1,000 times: {spent:.2f} CPU-s, a triple loop about {loop:.0f}")
    if benchmark.enabled:
        assert spent <= 2


def plain(cost: list[list[float]]) -> list[list[Any]]:
    """The least cost of k steps from t to 0, by three loops."""
    n = len(cost)
    table = [[math.inf] * n for _ in range(n)]
    table[0][0] = 0.0
    for k in range(1, n):
        for t in range(1, n):
            for s in range(t):
                table[k][t] = min(table[k][t], cost[t][s] + table[k - 1][s])
    return table
