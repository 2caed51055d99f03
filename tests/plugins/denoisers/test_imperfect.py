"""A guess that is wrong by a known amount, and what is still known of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import harness
from tests.plugins.estimates import posterior_variance
from tests.plugins.sampling import double, even, sampler


def worse(scale: float = 0.9, shift: float = 0.2, name: str = "ring8", **fields: Any) -> Any:
    inner = harness.component("denoiser", name, **fields)
    return harness.denoiser("imperfect", denoiser=inner, scale=scale, shift=shift)


@pytest.mark.verify
@pytest.mark.parametrize("t", [1.0, 250.0, 999.5])
def test_eps_is_worse_by_scale_and_shift(t: float) -> None:
    own, x = harness.denoiser("ring8"), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(worse().eps(x, t), 0.9 * own.eps(x, t) + 0.2, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(worse(1.0, 0.0).x0(x, t), own.x0(x, t), rtol=1e-4, atol=1e-3)


def test_the_posterior_is_that_of_the_error() -> None:
    """By a million draws of x_0 given one x_t, from the exact reverse kernel."""
    own, made, t = harness.denoiser("ring8"), worse(), 250.0
    x = torch.tensor([[0.3, 0.4]], dtype=torch.float64).expand(200_000, -1)
    off = own.sample_posterior(x, t, lambda name, like: harness.NoiseSource(1)(name, like)) - made.x0(x[:1], t)
    drawn = off.T @ off / len(off)
    torch.testing.assert_close(made.posterior_covariance(x[:1], t)[0], drawn, rtol=0.02, atol=0.002)


def test_what_is_known_of_the_data_stays() -> None:
    own, made = harness.denoiser("gaussian", variance=0.25), worse(name="gaussian", variance=0.25)
    draws = [each.sample(4, torch.Generator().manual_seed(1)) for each in (own, made)]
    assert torch.equal(*draws) and made.shape == own.shape and made.data_range == own.data_range
    assert torch.equal(made.log_prob(draws[0]), own.log_prob(draws[0]))
    assert all(torch.equal(*pair) for pair in zip(made.moments(), own.moments(), strict=True))
    assert made.denoiser.supports("posterior_covariance") and not made.denoiser.supports("hidden_features")
    assert sampler("exact_kernel").skip(made.denoiser) is None


def test_the_exact_variance_is_the_best_for_a_guess_that_is_wrong() -> None:
    """Of all multiples of it none has a smaller bound; the covariance of the data given x_t alone has not."""
    made, exact = worse(1.0, 0.3), harness.component("variance", "exact")
    x0, metric = made.sample(500, torch.Generator().manual_seed(2)), harness.component("metric", "step_kl")

    def lost(c: Any) -> float:
        given = {"reference": x0, "model": made, "sampler": sampler("ddpm"), "covariance": c, "times": even(10)}
        return float(harness.call_with_inputs(metric, **given, noise=harness.NoiseSource(3)))

    def c(factor: float, ready: Any = made) -> Any:
        return lambda *args: factor * posterior_variance(exact, {"denoiser": ready}, *args)

    best = lost(c(1.0))
    assert all(lost(c(factor)) > best for factor in (0.8, 1.25))
    assert lost(c(1.0, harness.denoiser("ring8"))) > best


def test_a_control_that_needs_what_nobody_knows_says_so() -> None:
    made = harness.component("denoiser", "imperfect", denoiser=harness.component("denoiser", "digits"))
    assert "has no data to draw" in sampler("iid").skip(made)
    assert made.needs_artifact() and made.supports("hidden_features") and made.shape == (1, 8, 8)
    assert float(made.schedule.alpha_bar(double(0.0))) == 1
