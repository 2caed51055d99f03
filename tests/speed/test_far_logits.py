"""Heavy tails: logits that leave the tables against usual ones, in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

import harness


def cpu(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize("spread", [100.0, 1e4, 1e6])
@pytest.mark.parametrize(("rows", "classes"), [(2048, 2), (512, 10), (16, 1000)])
@pytest.mark.parametrize("relative", [False, True], ids=["p", "log"])
@pytest.mark.parametrize("name", ["student_t", "cauchy"])
@pytest.mark.verify
def test_far_logits_against_usual_ones(
    benchmark: BenchmarkFixture, name: str, relative: bool, rows: int, classes: int, spread: float
) -> None:
    torch.set_num_threads(1)
    transform, draw = harness.component("transform", name), torch.Generator().manual_seed(0)
    usual = torch.randn(rows, classes, generator=draw).requires_grad_()
    far = (usual.detach() * spread).requires_grad_()
    v = torch.randn(rows, classes, generator=draw)

    def step(logits: torch.Tensor) -> None:
        torch.autograd.grad(transform.log(logits) if relative else transform(logits), logits, v)

    step(usual)
    step(far)
    ratios = []
    for _ in range(9 if benchmark.enabled else 1):
        one = cpu(lambda: step(usual))
        ratios.append(cpu(lambda: step(far)) / max(one, 1e-9))
    benchmark.pedantic(lambda: step(far), rounds=3 if benchmark.enabled else 1)
    ratio = statistics.median(ratios)
    benchmark.extra_info.update(times_usual=ratio)
    kind = "log" if relative else "p"
    print(f"\n{name} {kind} [{rows}, {classes}] spread {spread:g}: {ratio:.2f} times as long as usual logits")
