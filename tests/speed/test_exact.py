"""EXACT by quadrature against the published way, Genz's sampling of a normal orthant: its error, and its time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import integrate, stats
from torch import Tensor

from harness.discovery.registry import component


def chain(leads: Tensor, place: int, shift: Tensor, draws: Tensor) -> Tensor:
    """The product of Genz's factors [..., n] for leads [..., k] under covariance I + 11^T, from `place` variables on.

    `shift` [..., n] is what those before contribute; `draws` [n, k] are uniform.
    """
    total = torch.ones_like(shift)
    for i in range(leads.shape[-1]):
        diagonal, below = factor(place + i)
        share = torch.special.ndtr((leads[..., i, None] - shift) / diagonal)
        total = total * share
        shift = shift + below * torch.special.ndtri(draws[:, i] * share).clamp(-5, 5)
    return total


def factor(i: int) -> tuple[float, float]:
    """Column i, from 0, of the Cholesky factor of I + 11^T: on the diagonal, and everywhere below it."""
    diagonal = math.sqrt((i + 2) / (i + 1))
    return diagonal, diagonal - 1 / diagonal


class Genz(torch.autograd.Function):
    """(leads [b, m], draws [n, m]) -> P(leads + noise > 0) [b]; each slope is an estimate of its own, O(m^2) in all."""

    @staticmethod
    def forward(ctx: Any, leads: Tensor, draws: Tensor) -> Tensor:
        ordered, place = leads.sort(-1)
        ctx.save_for_backward(ordered, place, draws)
        return chain(ordered, 0, leads.new_zeros(len(leads), len(draws)), draws).mean(-1)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None]:
        ordered, place, draws = ctx.saved_tensors
        m = ordered.shape[-1]
        others = torch.tensor([[j for j in range(m) if j != k] for k in range(m)], dtype=torch.int64)
        # Variable k comes first, held at its bound: its factor is its density there.
        diagonal, below = factor(0)
        first = ordered / diagonal
        density = (-first * first / 2).exp() / (math.sqrt(2 * math.pi) * diagonal)
        shift = (below * first)[..., None].expand(-1, -1, len(draws))
        slopes = density * chain(ordered[:, others], 1, shift, draws[:, 1:]).mean(-1)
        return torch.zeros_like(slopes).scatter(-1, place, slopes) * cotangent[:, None], None


def sampled(logits: Tensor, target: Tensor, draws: Tensor) -> Tensor:
    """The published loss [batch]."""
    column = target[:, None]
    others = torch.arange(logits.shape[1] - 1).expand(len(logits), -1)
    others = others + (others >= column)
    result: Tensor = Genz.apply(logits.gather(1, column) - logits.gather(1, others), draws)  # type: ignore[no-untyped-call]
    return 1 - result


def by_quadrature(row: np.ndarray, y: int) -> float:
    """1 - P(logit y is the largest), by scipy."""
    leads = row[y] - np.delete(row, y)
    integrand = lambda z: math.exp(stats.norm.logcdf(z + leads).sum() + stats.norm.logpdf(z))  # noqa: E731
    return 1 - math.fsum(integrate.quad(integrand, z, z + 1, epsabs=1e-13)[0] for z in range(-8, 10))


def test_the_sampler_is_the_published_one() -> None:
    g = torch.Generator().manual_seed(0)
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]], dtype=torch.float64).repeat(4, 1).requires_grad_()
    target, many = torch.arange(4), torch.rand(20_000, 3, generator=g, dtype=torch.float64)
    value, exact = sampled(logits, target, many), component("loss", "exact")(logits, target)
    torch.testing.assert_close(value, exact, rtol=0, atol=1e-3)
    slopes, expected = (torch.autograd.grad(v.sum(), logits)[0] for v in (value, exact))
    torch.testing.assert_close(slopes, expected, rtol=0, atol=2e-3)
    few = torch.stack([sampled(logits[:1].detach(), target[:1], draws) for draws in many[:16_000].view(1000, 16, 3)])
    assert few.std().item() == pytest.approx(0.0063, rel=0.15)


def seconds(loss: Callable[[Tensor], Tensor], logits: Tensor) -> float:
    """CPU seconds of one loss and its gradient."""
    start = time.process_time()
    torch.autograd.grad(loss(logits).mean(), logits)
    return time.process_time() - start


@pytest.mark.parametrize(("classes", "batch", "rounds"), [(100, 256, 3)])
def test_quadrature_against_sampling(benchmark: BenchmarkFixture, classes: int, batch: int, rounds: int) -> None:
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, classes, generator=g).requires_grad_()
    target, draws = torch.randint(classes, (batch,), generator=g), torch.rand(16, classes - 1, generator=g)
    exact = component("loss", "exact")
    ours: Callable[[Tensor], Tensor] = lambda s: exact(s, target)  # noqa: E731
    theirs: Callable[[Tensor], Tensor] = lambda s: sampled(s, target, draws)  # noqa: E731
    rows = zip(logits.detach().double().numpy()[:32], target.tolist(), strict=False)
    truth = torch.tensor([by_quadrature(row, y) for row, y in rows], dtype=torch.float64)
    errors = [(loss(logits)[:32].double() - truth).abs().max().item() for loss in (ours, theirs)]
    assert errors[0] < 1e-6
    benchmark.pedantic(lambda: seconds(ours, logits), rounds=20, warmup_rounds=3)  # type: ignore[no-untyped-call]
    if not benchmark.enabled:
        return
    pairs = [(seconds(theirs, logits), sorted(seconds(ours, logits) for _ in range(9))[4]) for _ in range(rounds)]
    ratios = sorted(slow / fast for slow, fast in pairs)
    benchmark.extra_info.update(times_faster=ratios[rounds // 2], error=errors[0], error_of_sampling=errors[1])
    slow, fast = (1e3 * sorted(pair[k] for pair in pairs)[rounds // 2] for k in (0, 1))
    print(f"\n{classes} classes, batch {batch}: {fast:.2f} ms against {slow:.0f} ms, {ratios[rounds // 2]:.0f} times")
    print(f"largest error {errors[0]:.1e} against {errors[1]:.1e}")
