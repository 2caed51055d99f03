"""Reverse variances in closed form, for every pair of times, and the exact one against quadrature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats

import harness
from tests.plugins.estimates import posterior_variance

KEPT = np.cumprod(np.concatenate([[1.0], 1 - np.linspace(1e-4, 0.02, 1000)]))
NOTHING = torch.zeros(1, 1)


class Trained(harness.Denoiser):
    """Knows nothing but its guess."""

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x


@pytest.mark.parametrize("name", ["beta", "beta_tilde"])
def test_a_step_of_ddpm_has_the_variance_of_that_name(name: str) -> None:
    variance, fitted = harness.component("variance", name), {"denoiser": harness.denoiser("gaussian")}
    c = np.array([posterior_variance(variance, fitted, NOTHING, float(t), 0.0, NOTHING) for t in range(1, 1001)])[
        :, None
    ]
    now, then = KEPT[1:, None], KEPT[None, :-1]
    pairs = np.tri(1000, dtype=bool)  # row t - 1, column s
    beta = 1 - now / then
    tilde = beta * (1 - then) / (1 - now)
    inside = np.where(pairs, (1 - then - tilde) * now / (1 - now), 0)
    sigma2 = tilde + (then**0.5 - inside.clip(0) ** 0.5) ** 2 * c
    assert np.abs(sigma2 - (beta if name == "beta" else tilde))[pairs].max() < 1e-10


def exact(form: str, **fields: Any) -> Any:
    return harness.component("variance", "exact", form=form, **fields)


class TestExact:
    @pytest.mark.verify
    def test_forms_agree_with_brute_force(self) -> None:
        ready, t = harness.denoiser("ring8"), 250
        a, x = KEPT[t], torch.tensor([[0.3, 0.4], [-0.2, 0.5]], dtype=torch.float64)
        side = np.linspace(-2, 2, 801)
        grid = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
        angles = np.arange(8) * np.pi / 4
        prior = sum(stats.multivariate_normal([np.cos(u), np.sin(u)], 0.08**2).pdf(grid) for u in angles)
        full = posterior_variance(exact("full"), {"denoiser": ready}, x, t, 0, x)
        diagonal = posterior_variance(exact("diagonal"), {"denoiser": ready}, x, t, 0, x)
        for point, whole, part in zip(x.numpy(), full.numpy(), diagonal.numpy(), strict=True):
            seen = prior * np.exp(-((point - a**0.5 * grid) ** 2).sum(-1) / (2 * (1 - a)))
            off = grid - seen @ grid / seen.sum()
            covariance = (off * seen[:, None]).T @ off / seen.sum()
            assert np.allclose(whole, covariance, rtol=0, atol=1e-9)
            assert np.allclose(part, np.diag(covariance), rtol=0, atol=1e-9)

    def test_isotropic_is_interpolated_within_a_hundredth(self) -> None:
        ready = harness.denoiser("gaussian", variance=0.25)
        variance = exact("isotropic")
        fitted = {"denoiser": ready, **variance.fit(ready, torch.zeros(2, 1), torch.Generator())}
        for t in (*range(1, 1001, 7), 1000, 2.5, 123.4):
            a = float(ready.schedule.alpha_bar(torch.tensor(float(t)).double()))
            c = posterior_variance(variance, fitted, NOTHING, t, 0, NOTHING)
            assert c == pytest.approx(0.25 * (1 - a) / (0.25 * a + 1 - a), rel=0.01)

    @pytest.mark.verify
    @pytest.mark.parametrize("t", [1, 100, 112, 300, 500, 1000])
    def test_isotropic_is_the_mean_over_x_t(self, t: int, fitted: tuple[Any, dict[str, torch.Tensor]]) -> None:
        ready, statistics = fitted
        a, x = KEPT[t], np.linspace(-7, 7, 50001)
        density = 0.3 * stats.norm(-(a**0.5), (a * 0.01 + 1 - a) ** 0.5).pdf(x)
        density += 0.7 * stats.norm(a**0.5, (a * 0.04 + 1 - a) ** 0.5).pdf(x)
        left = ready.posterior_covariance(torch.from_numpy(x)[:, None], t)[:, 0, 0].numpy()
        mean = integrate.trapezoid(left * density, x)
        error = (integrate.trapezoid((left - mean) ** 2 * density, x) / 4000) ** 0.5
        c = posterior_variance(exact("isotropic"), {"denoiser": ready, **statistics}, NOTHING, float(t), 0, NOTHING)
        assert abs(c - mean) < 5 * error + 0.01 * mean

    def test_only_the_isotropic_form_is_fitted(self) -> None:
        assert exact("diagonal").fit(harness.denoiser("gaussian"), NOTHING, torch.Generator()) == {}

    def test_skips_what_knows_no_posterior(self) -> None:
        assert "no exact posterior" in exact("full").skip(Trained())
        assert exact("full").skip(harness.component("denoiser", "gaussian")) is None


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, dict[str, torch.Tensor]]:
    ready = harness.denoiser("gaussian_mixture", weights=[0.3, 0.7], means=[-1.0, 1.0], stds=[0.1, 0.2])
    data = ready.sample(4000, torch.Generator().manual_seed(0))
    return ready, exact("isotropic", draws=4000).fit(ready, data, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("target", ["grid25", "ring8"])
def test_the_best_variance_lies_between_the_small_and_the_large_one_which_part_as_steps_grow_longer(
    target: str,
) -> None:
    """For data whose variance per element is at most 1 (Bao et al., 2022, theorem 2, and the best linear guess)."""
    model, variance = harness.denoiser(target), exact("isotropic", draws=512)
    data = model.sample(512, torch.Generator().manual_seed(0))
    fitted = variance.fit(model, data, torch.Generator().manual_seed(1))
    apart = []
    for steps in (10, 100, 1000):
        times = harness.component("spacing", "even").times(model.schedule, steps)
        _, _, small, share = harness.component("sampler", "ddpm").transition(model.schedule, times)
        large = small + share * (1 - model.schedule.alpha_bar(times[:-1]))
        c = [variance.posterior_variance(model, fitted, NOTHING, t, 0.0, NOTHING) for t in times[:-1].tolist()]
        best = small + share * torch.tensor(c, dtype=torch.float64)
        assert bool(((small < best) & (best < large))[:-1].all())
        apart.append(float((large / small)[:-1].log().mean()))
    assert apart == sorted(apart, reverse=True) and apart[-1] < 0.1 * apart[0]
