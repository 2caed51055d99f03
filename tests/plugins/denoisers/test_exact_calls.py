"""What exact denoisers owe their callers: identities, types, draws of x_0 that follow the law, and mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import harness

TWO = {"weights": [0.3, 0.7], "means": [-1.0, 1.0], "stds": [0.1, 0.2]}
NAMES = ["gaussian", "gaussian_mixture", "grid25", "ring8", "fitted_mixture"]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    return {name: harness.denoiser(name) for name in NAMES}


def noisy(ready: Any, n: int, t: float) -> torch.Tensor:
    """x_t, float64, of as many samples."""
    stream = torch.Generator().manual_seed(0)
    x0 = ready.sample(n, stream).double()
    a = float(ready.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
    return a**0.5 * x0 + (1 - a) ** 0.5 * torch.randn(x0.shape, generator=stream, dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
class TestEveryOne:
    @pytest.mark.parametrize("t", [1.0, 37.5, 500.0, 1000.0])
    def test_guesses_agree(self, known: dict[str, Any], name: str, t: float) -> None:
        x, a = noisy(known[name], 9, t), known[name].schedule.alpha_bar(torch.tensor(t).double())
        x0, eps = known[name].x0_and_eps(x, t)
        assert torch.allclose(a.sqrt() * x0 + (1 - a).sqrt() * eps, x, rtol=0, atol=1e-12)

    @pytest.mark.parametrize("t", [1.0, 500.0, 1000.0])
    def test_single_precision_is_accurate(self, known: dict[str, Any], name: str, t: float) -> None:
        single = noisy(known[name], 200, t).float()
        for low, high in zip(
            known[name].x0_and_eps(single, t), known[name].x0_and_eps(single.double(), t), strict=True
        ):
            assert low.dtype == torch.float32 and high.dtype == torch.float64
            assert torch.allclose(low.double(), high, rtol=0, atol=2e-6)

    def test_types_and_shapes(self, known: dict[str, Any], name: str) -> None:
        ready = known[name]
        d = ready.shape[0]
        for dtype in (torch.float32, torch.float64):
            x = noisy(ready, 3, 100.0).to(dtype)
            results = {
                (3, d): [ready.eps(x, 100), ready.sample_posterior(x, 100, harness.NoiseSource(0))],
                (3, d, d): [ready.posterior_covariance(x, 100)],
                (3,): [ready.log_prob(x)],
            }
            for shape, values in results.items():
                assert all(value.shape == shape and value.dtype == dtype for value in values)
        assert ready.sample(3, torch.Generator()).dtype == torch.float32

    @pytest.mark.parametrize("n", [1, 63, 65, 130])
    def test_bits_do_not_depend_on_the_batch(self, known: dict[str, Any], name: str, n: int) -> None:
        ready, noise = known[name], harness.NoiseSource(3)
        x = noisy(ready, 200, 300.0)
        for batch in (x, x.float()):
            assert torch.equal(ready.eps(batch, 300)[:n], ready.eps(batch[:n], 300))
            assert torch.equal(ready.posterior_covariance(batch, 300)[:n], ready.posterior_covariance(batch[:n], 300))
            assert torch.equal(
                ready.sample_posterior(batch, 300, noise)[:n], ready.sample_posterior(batch[:n], 300, noise)
            )


class TestRecover:
    @pytest.mark.parametrize(("x", "t"), [(0.1, 300), (-0.05, 200), (0.5, 50)])
    def test_follows_the_law_on_a_line(self, x: float, t: int) -> None:
        ready, n = harness.denoiser("gaussian_mixture", **TWO), 20_000
        a = float(np.prod(1 - np.linspace(1e-4, 0.02, 1000)[:t]))
        side = np.linspace(-3, 3, 60001)
        density = np.exp(-((x - a**0.5 * side) ** 2) / (2 * (1 - a))) * sum(
            w * stats.norm(m, s).pdf(side) for w, m, s in zip(TWO["weights"], TWO["means"], TWO["stds"], strict=True)
        )
        law = np.cumsum(density) / density.sum()
        draws = ready.sample_posterior(torch.full((n, 1), x).double(), t, harness.NoiseSource(1))[:, 0].numpy()
        assert stats.kstest(draws, lambda v: np.interp(v, side, law)).pvalue > 1e-4

    def test_has_the_posterior_moments_with_full_covariances(self, known: dict[str, Any]) -> None:
        ready, n = known["fitted_mixture"], 10_000
        x = noisy(ready, 1, 600.0)
        draws = ready.sample_posterior(x.expand(n, -1), 600, harness.NoiseSource(2))
        off = draws - ready.x0(x, 600)
        products = off[:, :, None] * off[:, None]
        assert (off.mean(0).abs() < 5 * off.std(0) / n**0.5).all()
        assert ((products.mean(0) - ready.posterior_covariance(x, 600)[0]).abs() < 5 * products.std(0) / n**0.5).all()


class TestFields:
    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"means": [0.0, 1.0, 2.0], "weights": [1.0, 2.0]}, "weights: 2 for 3 means"),
            ({"means": [[0.0, 1.0]], "stds": [0.1, 0.2]}, "stds: 2 for 1 means"),
            ({"means": [[0.0, 1.0], [2.0]]}, "points of one dimension"),
            ({"means": []}, "at least one"),
            ({"means": [0.0], "weights": [0.0]}, "gaussian_mixture.weights: expected"),
        ],
    )
    def test_mistakes_are_named(self, fields: dict[str, Any], said: str) -> None:
        with pytest.raises(harness.BenchError, match=said):
            harness.component("denoiser", "gaussian_mixture", **fields)

    def test_weights_are_normalised_and_equal_by_default(self) -> None:
        x = torch.linspace(-2, 2, 9).double()[:, None]
        one, two = (harness.denoiser("gaussian_mixture", weights=w) for w in (None, [4.0, 4.0]))
        assert torch.equal(one.log_prob(x), two.log_prob(x))
        expected = np.log(0.5 * stats.norm(-1, 0.2).pdf(x[:, 0]) + 0.5 * stats.norm(1, 0.2).pdf(x[:, 0]))
        assert np.allclose(one.log_prob(x).numpy(), expected, rtol=1e-12)
