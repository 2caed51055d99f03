"""Exact nearest neighbours against scikit-learn's brute force: CPU seconds in one thread, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits
from torch import Tensor

from harness import nearest


def ours(x: Tensor, k: int) -> Tensor:
    return nearest(x, k).indices


def theirs(x: Tensor, k: int) -> Tensor:
    index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(x.numpy()).kneighbors(return_distance=False)
    return torch.from_numpy(index)


def seconds(search: Callable[[Tensor, int], Tensor], x: Tensor, k: int) -> float:
    start = time.process_time()
    search(x, k)
    return time.process_time() - start


@pytest.mark.parametrize("d", [3, 20, 100])
def test_against_brute_force(benchmark: BenchmarkFixture, d: int) -> None:
    torch.set_num_threads(1)
    n = 10_000 if benchmark.enabled else 500
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with threadpool_limits(1):
        assert torch.equal(ours(x, 10), theirs(x, 10))
        benchmark.pedantic(lambda: seconds(ours, x, 10), rounds=3)  # type: ignore[no-untyped-call]
        if not benchmark.enabled:
            return
        pairs = [(seconds(ours, x, 10), seconds(theirs, x, 10)) for _ in range(7)]
    mine, other = (sorted(pair[k] for pair in pairs)[3] for k in (0, 1))
    benchmark.extra_info.update(ratio=mine / other)
    print(f"\nn = {n}, d = {d}, k = 10: {mine:.2f} s against {other:.2f} s, {mine / other:.2f} times")
