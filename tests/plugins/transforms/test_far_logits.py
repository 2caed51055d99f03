"""Heavy tails under logits too far apart for tables, against a dense quadrature of scipy's distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

import harness

LAWS: dict[str, tuple[str, dict[str, float], Any]] = {
    "cauchy": ("cauchy", {}, stats.cauchy),
    "df 3": ("student_t", {"df": 3.0}, stats.t(3)),
    "df 2.5": ("student_t", {"df": 2.5}, stats.t(2.5)),
}
ROWS = {
    "one far": [0.0, -100.0],
    "two far": [0.0, -1e4, -1e4],
    "farthest": [0.0, -1e6, -1e6 - 1],
    "tied": [0.0, 0.0, 0.0, -300.0, -300.5],
    "even": [-50.0 * k for k in range(10)],
    "masked": [-400.0, 0.0, -np.inf, -41.0, 3.0],
    "growing": [-(2.0**k) for k in range(10)],
}


def transform(name: str, **fields: Any) -> Any:
    kind, own, _ = LAWS[name]
    return harness.component("transform", kind, **own, **fields)


def dense(law: Any, row: list[float]) -> tuple[Any, Any]:
    """Probabilities [n] and their Jacobian [n, n] by Gauss-Legendre between points that crowd around every class."""
    logits = np.array(row)
    real = np.flatnonzero(np.isfinite(logits))
    mu = logits[real]
    ladder = np.sinh(np.arange(0, 45, 0.5))
    ends = np.unique(np.concatenate([mu[:, None] + ladder, mu[:, None] - ladder], 1))
    node, weight = np.polynomial.legendre.leggauss(16)
    half = np.diff(ends)[:, None] / 2
    x, w = (ends[:-1, None] + half * (1 + node)).ravel(), (half * weight).ravel()
    density, cdf = law.pdf(x[:, None] - mu), law.cdf(x[:, None] - mu)
    p, jacobian = np.zeros(len(row)), np.zeros((len(row), len(row)))
    for i, a in enumerate(real):
        others = [k for k in range(len(real)) if k != i]
        p[a] = w @ (density[:, i] * cdf[:, others].prod(1))
        for k in others:
            rest = [j for j in others if j != k]
            jacobian[a, real[k]] = -w @ (density[:, i] * density[:, k] * cdf[:, rest].prod(1))
    return p, jacobian - np.diag(jacobian.sum(1))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", LAWS)
def test_probabilities_logarithms_and_gradients_are_those_of_a_dense_quadrature(
    name: str, row: str, compiled: bool
) -> None:
    exact, jacobian = dense(LAWS[name][2], ROWS[row])
    real, act = np.isfinite(ROWS[row]), transform(name, compiled=compiled)
    logits = torch.tensor([ROWS[row]], requires_grad=True)
    p, log_p = act(logits), act.log(logits)
    np.testing.assert_allclose(p.detach()[0], exact, rtol=0, atol=5e-7)
    np.testing.assert_allclose(log_p.detach()[0, real], np.log(exact[real]), rtol=1e-6, atol=2e-6)
    v = torch.linspace(-1, 2, len(exact))
    (gradient,) = torch.autograd.grad(p, logits, v[None])
    np.testing.assert_allclose(gradient[0], jacobian.T @ v.numpy(), rtol=0, atol=1e-6)
    (gradient,) = torch.autograd.grad(log_p[:, real], logits, v[None, real])
    expected = jacobian[real].T @ (v.numpy()[real] / exact[real])
    np.testing.assert_allclose(gradient[0], expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("spread", [10.0, 1e3, 1e6])
@pytest.mark.verify
def test_many_classes_are_as_in_float64(name: str, spread: float) -> None:
    draw = torch.Generator().manual_seed(0)
    rows, v = torch.randn(2, 1000, generator=draw) * spread, torch.randn(2, 1000, generator=draw)
    results = []
    for logits in (rows, rows.double()):
        leaf = logits.clone().requires_grad_()
        p = transform(name)(leaf)
        results.append((p.detach().double(), torch.autograd.grad(p, leaf, v.to(p.dtype))[0].double()))
    for single, double in zip(*results, strict=True):
        torch.testing.assert_close(single, double, rtol=0, atol=5e-7)


@pytest.mark.parametrize("name", LAWS)
def test_a_row_does_not_depend_on_those_beside_it(name: str) -> None:
    rows = torch.randn(6, 7, generator=torch.Generator().manual_seed(0)) * 10.0 ** torch.arange(2, 8)[:, None]
    for function in (transform(name), transform(name).log):
        assert torch.equal(function(rows), torch.cat([function(row[None]) for row in rows]))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("relative", [False, True])
def test_invalid_rows_and_gaps_beyond_float32(name: str, relative: bool) -> None:
    rows = [[0.0, -1e30, 5.0], [torch.nan, -50.0, 0.0], [-torch.inf] * 3, [torch.inf, 0.0, -99.0], [0.0, -1e4, -3e38]]
    logits = torch.tensor(rows, requires_grad=True)
    act = transform(name)
    out: Tensor = act.log(logits) if relative else act(logits)
    assert out.isnan().all(1).tolist() == [False, True, True, True, False]
    good = out[[0, 4]]
    torch.testing.assert_close((good.exp() if relative else good).sum(1), torch.ones(2))
    (gradient,) = torch.autograd.grad(good.clamp(min=-1e4).sum(), logits)
    assert gradient.isfinite().all()
    assert not gradient[1:4].any()


def test_vmap_and_second_derivatives_of_far_logits() -> None:
    act = transform("df 3")
    rows = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(1)) * 100
    torch.testing.assert_close(torch.func.vmap(act)(rows), act(rows), rtol=0, atol=0)
    row = rows[0, 0].clone().requires_grad_()
    (first,) = torch.autograd.grad(act(row).square().sum(), row, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), row)
    assert second.isfinite().all()


CROWDS = {"below": (-200.0, -260.0), "near": (-2.0, -45.0), "apart": (-60.0, -4e5)}


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.verify
def test_a_crowd_of_classes_is_as_in_a_dense_quadrature(name: str, crowd: str) -> None:
    first, last = CROWDS[crowd]
    row = np.concatenate([[0.0, -1.5, -33.0], -np.geomspace(-first, -last, 60)]).astype(np.float32)
    law, v = LAWS[name][2], np.linspace(-1, 2, len(row))
    ladder = np.sinh(np.arange(0, 45, 0.5))
    ends = np.unique(
        np.concatenate([m + side * ladder for m in row[[0, 1, 2, 3, -1]].astype(float) for side in (-1, 1)])
    )
    ends = np.unique(np.concatenate([ends, np.arange(-60, 20, 0.5)]))
    node, weight = np.polynomial.legendre.leggauss(16)
    half = np.diff(ends)[:, None] / 2
    x, w = (ends[:-1, None] + half * (1 + node)).ravel(), (half * weight).ravel()
    log_cdf = law.logcdf(x[:, None] - row)
    hazard, joint = np.exp(law.logpdf(x[:, None] - row) - log_cdf), w * np.exp(log_cdf.sum(1))
    exact = joint @ hazard

    def pulled(v: Any) -> Any:
        return v * ((joint * hazard.sum(1)) @ hazard) - (joint * (hazard @ v)) @ hazard

    assert exact.sum() == pytest.approx(1, abs=1e-9)
    logits = torch.tensor(row)[None].requires_grad_()
    p, log_p = transform(name)(logits), transform(name).log(logits)
    np.testing.assert_allclose(p.detach()[0], exact, rtol=0, atol=5e-7)
    np.testing.assert_allclose(log_p.detach()[0], np.log(exact), rtol=1e-6, atol=2e-6)
    (gradient,) = torch.autograd.grad(p, logits, torch.tensor(v)[None].float())
    np.testing.assert_allclose(gradient[0], pulled(v), rtol=0, atol=1e-6)
    (gradient,) = torch.autograd.grad(log_p, logits, torch.tensor(v)[None].float())
    np.testing.assert_allclose(gradient[0], pulled(v / exact), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("relative", [False, True])
def test_rows_of_any_depth_are_as_by_torch_alone(name: str, relative: bool) -> None:
    """From within the tables to beyond them, side by side."""
    rows = torch.randn(24, 6, generator=torch.Generator().manual_seed(2)) * torch.linspace(0.5, 40, 24)[:, None]
    found = []
    for compiled in (True, False):
        leaf, act = rows.clone().requires_grad_(), transform(name, compiled=compiled)
        out = act.log(leaf) if relative else act(leaf)
        found.append((out.detach(), torch.autograd.grad(out.sin().sum(), leaf)[0]))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=2e-6, atol=2e-6)
