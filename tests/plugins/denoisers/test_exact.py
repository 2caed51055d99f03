"""Denoisers that are known exactly, against quadrature, conditional normal laws, importance sampling and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import logsumexp, softmax

import harness

TWO = {"weights": [0.3, 0.7], "means": [-1.0, 1.0], "stds": [0.1, 0.2]}
THREE = {"weights": [1.0, 2.0, 3.0], "means": [[-1.0, 0.5], [0.3, 0.2], [1.0, -1.0]], "stds": [0.2, 0.3, 0.25]}
KEPT = np.cumprod(np.concatenate([[1.0], 1 - np.linspace(1e-4, 0.02, 1000)]))
"""A_t at whole times, linear schedule with T = 1000."""


def parts(ready: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and covariances of a fitted mixture, from what training gave."""
    made = ready.denoiser.train(torch.Generator(), lambda *_: None)
    return made["weights"].numpy(), made["means"].numpy(), made["covariances"].numpy()


def conditional(x: np.ndarray, t: int, w: np.ndarray, mu: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E and Cov of x_0 given x_t by Bayes' rule with precision matrices."""
    a, eye = KEPT[t], np.eye(len(x))
    ways = [
        stats.multivariate_normal(a**0.5 * m, a * c + (1 - a) * eye).logpdf(x) for m, c in zip(mu, cov, strict=True)
    ]
    shares = softmax(np.log(w) + ways)
    left = [np.linalg.inv(np.linalg.inv(c) + a / (1 - a) * eye) for c in cov]
    mean = [p @ (np.linalg.solve(c, m) + a**0.5 / (1 - a) * x) for p, c, m in zip(left, cov, mu, strict=True)]
    total = np.einsum("k,ki->i", shares, mean)
    second = sum(r * (p + np.outer(m, m)) for r, p, m in zip(shares, left, mean, strict=True))
    return total, second - np.outer(total, total)


@pytest.fixture(scope="module")
def digits() -> Any:
    return harness.denoiser("fitted_mixture", components=3)


class TestKnownAnswers:
    # Mean squared noise, E Cov, and the reverse variances of DDIM and DDPM made of it: published for this mixture.
    @pytest.mark.parametrize(
        ("s", "t", "square", "left", "ddim", "ddpm"),
        [
            (99, 100, 0.73331441, 0.030616746, 2.8137914e-6, 0.0020457379),
            (400, 500, 0.93095151, 0.80957357, 0.026157423, 0.58811990),
            (1, 112, 0.72252950, 0.040145015, 0.038058019, 0.040185457),
        ],
    )
    def test_of_the_mixture_on_a_line(
        self, s: int, t: int, square: float, left: float, ddim: float, ddpm: float
    ) -> None:
        ready = harness.denoiser("gaussian_mixture", **TWO)
        now, then = KEPT[t], KEPT[s]
        x = np.linspace(-7, 7, 100001)
        density = sum(
            w * stats.norm(now**0.5 * m, (now * d**2 + 1 - now) ** 0.5).pdf(x)
            for w, m, d in zip(TWO["weights"], TWO["means"], TWO["stds"], strict=True)
        )
        points = torch.from_numpy(x)[:, None]
        mean = integrate.trapezoid(ready.eps(points, t)[:, 0].numpy() ** 2 * density, x)
        covariance = integrate.trapezoid(ready.posterior_covariance(points, t)[:, 0, 0].numpy() * density, x)
        assert mean == pytest.approx(square, rel=1e-7)
        assert covariance == pytest.approx(left, rel=1e-7)
        tilde = (1 - now / then) * (1 - then) / (1 - now)
        for added, expected in ((0.0, ddim), (tilde, ddpm)):
            gamma = then**0.5 - ((1 - then - added) * now / (1 - now)) ** 0.5
            assert added + gamma**2 * covariance == pytest.approx(expected, rel=2e-7)

    @pytest.mark.parametrize(("mean", "variance", "dim"), [(0.0, 1.0, 1), (0.7, 0.25, 3), (-1.0, 0.0, 2)])
    def test_of_normal_data(self, mean: float, variance: float, dim: int) -> None:
        ready = harness.denoiser("gaussian", mean=mean, variance=variance, dim=dim)
        x = torch.linspace(-2, 2, 5 * dim, dtype=torch.float64).view(5, dim)
        for t in (1, 300, 1000):
            a = KEPT[t]
            gain = a**0.5 * variance / (a * variance + 1 - a)
            assert torch.allclose(ready.x0(x, t), mean + gain * (x - a**0.5 * mean), rtol=0, atol=1e-10)
            left = variance * (1 - a) / (a * variance + 1 - a)
            assert torch.allclose(
                ready.posterior_covariance(x, t), left * torch.eye(dim).double().expand(5, -1, -1), atol=1e-14
            )

    def test_a_point_has_no_density(self) -> None:
        with pytest.raises(harness.BenchError, match="exact density"):
            harness.denoiser("gaussian", variance=0.0).log_prob(torch.zeros(1, 1))


class TestPosterior:
    @pytest.mark.parametrize("t", [5, 200, 700])
    def test_by_brute_force_in_the_plane(self, t: int) -> None:
        ready, a = harness.denoiser("gaussian_mixture", **THREE), KEPT[t]
        side = np.linspace(-3, 3, 601)
        grid = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
        prior = sum(
            w * stats.multivariate_normal(m, s**2).pdf(grid)
            for w, m, s in zip(THREE["weights"], THREE["means"], THREE["stds"], strict=True)
        )
        for x in ([0.4, -0.3], [-0.8, 0.6], [0.6, -0.5]):
            seen = prior * np.exp(-((np.array(x) - a**0.5 * grid) ** 2).sum(-1) / (2 * (1 - a)))
            mean = seen @ grid / seen.sum()
            off = grid - mean
            covariance = (off * seen[:, None]).T @ off / seen.sum()
            point = torch.tensor([x], dtype=torch.float64)
            assert np.allclose(ready.x0(point, t)[0].numpy(), mean, rtol=0, atol=1e-9)
            assert np.allclose(ready.posterior_covariance(point, t)[0].numpy(), covariance, rtol=0, atol=1e-9)

    @pytest.mark.parametrize("t", [1, 150, 600, 1000])
    def test_full_covariances_by_bayes_rule(self, digits: Any, t: int) -> None:
        law = parts(digits)
        x = KEPT[t] ** 0.5 * digits.sample(4, torch.Generator().manual_seed(1)).double()
        x = x + (1 - KEPT[t]) ** 0.5 * torch.randn(4, 64, generator=torch.Generator().manual_seed(2)).double()
        for point, mean, covariance in zip(x, digits.x0(x, t), digits.posterior_covariance(x, t), strict=True):
            expected = conditional(point.numpy(), t, *law)
            assert np.allclose(mean.numpy(), expected[0], rtol=0, atol=1e-8)
            assert np.allclose(covariance.numpy(), expected[1], rtol=0, atol=1e-8)

    def test_by_importance_sampling(self, digits: Any) -> None:
        w, mu, cov = parts(digits)
        random, t = np.random.default_rng(0), 500
        counts = random.multinomial(100_000, w / w.sum())
        data = np.concatenate([random.multivariate_normal(mu[k], cov[k], counts[k]) for k in range(3)])
        x = KEPT[t] ** 0.5 * data[0] + (1 - KEPT[t]) ** 0.5 * random.standard_normal(64)
        weights = softmax(-((x - KEPT[t] ** 0.5 * data) ** 2).sum(-1) / (2 * (1 - KEPT[t])))
        mean = weights @ data
        error = ((weights**2) @ (data - mean) ** 2) ** 0.5
        assert 1 / (weights**2).sum() > 500
        assert (np.abs(digits.x0(torch.from_numpy(x)[None], t)[0].numpy() - mean) < 5 * error).all()

    def test_a_time_for_each_sample(self, digits: Any) -> None:
        x, t = digits.sample(5, torch.Generator().manual_seed(3)).double(), torch.tensor([3.0, 40, 40, 500.5, 999])
        for k in range(5):
            alone = x[k : k + 1], float(t[k])
            assert torch.allclose(digits.eps(x, t)[k], digits.eps(*alone)[0], rtol=0, atol=1e-11)
            assert torch.allclose(
                digits.posterior_covariance(x, t)[k], digits.posterior_covariance(*alone)[0], rtol=0, atol=1e-11
            )


class TestData:
    def test_density_of_the_fit(self, digits: Any) -> None:
        w, mu, cov = parts(digits)
        x = digits.sample(7, torch.Generator().manual_seed(0)).double()
        ways = [stats.multivariate_normal(m, c).logpdf(x.numpy()) for m, c in zip(mu, cov, strict=True)]
        assert np.allclose(digits.log_prob(x).numpy(), logsumexp(np.log(w)[:, None] + ways, axis=0), rtol=1e-10)

    @pytest.mark.verify
    @pytest.mark.parametrize("name", ["grid25", "ring8", "gaussian_mixture"])
    def test_density_adds_up_to_one_and_has_the_moments(self, name: str) -> None:
        ready = harness.denoiser(name, **(THREE if name == "gaussian_mixture" else {}))
        side = torch.linspace(-3, 3, 601, dtype=torch.float64)
        grid = torch.cartesian_prod(side, side)
        mass = ready.log_prob(grid).exp() * 0.01**2
        mean, covariance = ready.moments()
        assert float(mass.sum()) == pytest.approx(1, abs=1e-9)
        assert torch.allclose(mass @ grid, mean, rtol=0, atol=1e-9)
        assert torch.allclose((grid * mass[:, None]).T @ grid - mean.outer(mean), covariance, rtol=0, atol=1e-9)

    @pytest.mark.parametrize(("name", "n"), [("gaussian_mixture", 100_000), ("grid25", 100_000), ("digits", 10_000)])
    def test_draws_have_the_moments(self, digits: Any, name: str, n: int) -> None:
        ready = digits if name == "digits" else harness.denoiser(name, **(THREE if name == "gaussian_mixture" else {}))
        x = ready.sample(n, torch.Generator().manual_seed(5)).double()
        mean, covariance = ready.moments()
        off = x - mean
        products = off[:, :, None] * off[:, None]
        assert ((x.mean(0) - mean).abs() <= 5 * x.std(0) / n**0.5).all()
        assert ((products.mean(0) - covariance).abs() <= 5 * products.std(0) / n**0.5).all()

    def test_ring_has_eight_equal_modes(self) -> None:
        mean, covariance = harness.denoiser("ring8").moments()
        assert torch.allclose(mean, torch.zeros(2).double(), atol=1e-15)
        assert torch.allclose(covariance, (0.5 + 0.08**2) * torch.eye(2).double(), atol=1e-15)

    def test_digits_keep_the_mean_of_the_scans(self, digits: Any) -> None:
        from sklearn.datasets import load_digits

        # Expectation-maximization keeps the mean of the data, whatever it converges to.
        assert np.allclose(digits.moments()[0].numpy(), load_digits().data.mean(0) / 8 - 1, rtol=0, atol=1e-9)

    def test_patches_keep_the_mean_of_the_photographs(self) -> None:
        from sklearn.datasets import load_sample_images

        ready = harness.denoiser("fitted_mixture", to="patches", components=1)
        cut = np.stack(load_sample_images().images)[:, :424].mean(-1) / 127.5 - 1
        assert np.allclose(ready.moments()[0].view(8, 8)[3, 5].numpy(), cut[:, 3::8, 5::8].mean(), rtol=0, atol=1e-9)
