"""What samplers make of normal data, by recursion of their plans: no sampling, no network."""

from __future__ import annotations

import math

import pytest
import torch

import harness
from tests.plugins.sampling import Straight, double, down, even, flow, law, sampler

LINEAR = harness.component("schedule", "linear")
ANCESTRAL = ["ddpm", "ddpm_vae", "ddpm_bayes", "ddim", "sigma_hat"]

# Derived values for data N(0, 0.25), the linear schedule of 1000 steps, an even trajectory, no noise at s = 0.
VARIANCES = {
    10: [0.104222, 0.358521, 0.249900, 0.130763, 0.249904, 0.126081],
    1000: [0.246125, 0.250752, 0.249900, 0.248498, 0.249908, 0.247981],
}
CASES = [
    (steps, name, fields, exact, value)
    for steps, values in VARIANCES.items()
    for (name, fields, exact), value in zip(
        [
            ("ddpm", {}, False),
            ("sigma_hat", {}, False),
            ("ddpm", {}, True),
            ("ddim", {}, False),
            ("ddim", {}, True),
            ("ddim", {"eta": 0.5}, False),
        ],
        values,
        strict=True,
    )
]


@pytest.mark.parametrize(("steps", "name", "fields", "exact", "value"), CASES)
def test_the_final_variance_is_known(
    steps: int, name: str, fields: dict[str, float], exact: bool, value: float
) -> None:
    plan = sampler(name, **fields).plan(LINEAR, even(steps))
    assert float(law(plan, LINEAR, 0.25, exact=exact).square().sum()) == pytest.approx(value, abs=6e-7)


@pytest.mark.parametrize("steps", [2, 10, 100])
@pytest.mark.parametrize("name", ["ddpm", "ddpm_vae", "ddpm_bayes", "ddim"])
def test_the_exact_variance_kept_at_the_last_step_returns_the_data(name: str, steps: int) -> None:
    v, plan = 0.25, sampler(name).plan(LINEAR, even(steps), noise_last_step=True)
    # x_T is N(0, 1) where the data would have it at A v + B; that difference is the only one.
    kept = float(LINEAR.alpha_bar(double(1000)))
    coefficients = law(plan, LINEAR, v, exact=True).square()
    coefficients[0] *= kept * v + 1 - kept
    assert float(coefficients.sum()) == pytest.approx(v, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
@pytest.mark.parametrize("name", ["ddpm_vae", "ddpm_bayes"])
def test_three_derivations_make_one_sampler(name: str, steps: int) -> None:
    times = torch.cat([torch.linspace(1000, 1, steps, dtype=torch.float64).round(), double(0)])
    one, other = (sampler(each).plan(LINEAR, times, noise_last_step=True) for each in ("ddpm", name))
    root = (LINEAR.sigma(times[:-1]), (1 - LINEAR.alpha_bar(times[:-1])).sqrt())
    # (x_0, x_t) coefficients of the mean: eps is (x_t - sqrt(A) x_0) / sqrt(B).
    assert torch.allclose(other.weights[:, 0], -one.weights[:, 0] / root[0], rtol=1e-9, atol=1e-15)
    assert torch.allclose(other.scale, one.scale + one.weights[:, 0] / root[1], rtol=1e-9, atol=1e-12)
    assert torch.allclose(other.added, one.added, rtol=1e-9, atol=1e-15)
    assert torch.allclose(other.gamma, one.gamma, rtol=1e-9, atol=1e-15)


def test_ddim_with_eta_1_is_ddpm() -> None:
    one, other = (sampler(*each).plan(LINEAR, even(20)) for each in (("ddpm_vae",), ("ddim",)))
    full = sampler("ddim", eta=1).plan(LINEAR, even(20))
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-14) for a, b in zip(one[1:6], full[1:6], strict=True))
    assert one.most == full.most
    assert not torch.allclose(one.scale, other.scale, rtol=1e-2)


def test_sigma_hat_is_ddpm_with_the_variance_beta() -> None:
    times = even(20)
    large, small = (sampler(name).plan(LINEAR, times, noise_last_step=True) for name in ("sigma_hat", "ddpm_vae"))
    beta = small.added + small.gamma**2 * (1 - LINEAR.alpha_bar(times[:-1]))
    assert torch.allclose(large.added, beta, rtol=1e-12)
    assert torch.allclose(large.scale, small.scale, rtol=1e-9, atol=1e-15) and not large.gamma.any()


@pytest.mark.parametrize("name", ANCESTRAL)
def test_no_noise_is_added_at_the_end_unless_asked(name: str) -> None:
    plan = sampler(name).plan(LINEAR, even(10))
    assert plan.added[-1] == 0 == plan.gamma[-1]
    kept = sampler(name).plan(LINEAR, even(10), noise_last_step=True)
    assert kept.added[-1] > 0 if name == "sigma_hat" else kept.gamma[-1] == pytest.approx(1)
    assert torch.equal(kept.added[:-1], plan.added[:-1]) and torch.equal(kept.scale, plan.scale)


@pytest.mark.parametrize(
    ("name", "fields", "mean", "variance"),
    [
        ("ddim", {"eta": 0.0}, 1.3911648638, 0.0),
        ("ddim", {"eta": 1.0}, 1.2816511050, 0.521733),
        ("ddpm", {}, 1.2816511050, 0.521733),
        ("ddpm_bayes", {}, 1.2816511050, 0.521733),
        ("sigma_hat", {}, 1.2816511050, 0.5972909324),
    ],
)
def test_one_step_from_500_to_400(name: str, fields: dict[str, float], mean: float, variance: float) -> None:
    """Derived: x_t = 1 and eps = 0.3 make x_0hat = 2.5399303847."""
    plan = sampler(name, **fields).plan(LINEAR, double(500, 400, 0))
    answer = 2.5399303847 if plan.of == "x0" else 0.3
    assert float(plan.scale[0] + plan.weights[0, 0] * answer) == pytest.approx(mean, abs=1e-9)
    assert float(plan.added[0]) == pytest.approx(variance, abs=4e-7)


@pytest.mark.parametrize(("eta", "variance"), [(1.0, 0.58811990), (0.0, 0.026157423)])
def test_the_best_variance_of_a_mixture(eta: float, variance: float) -> None:
    """By quadrature: E Cov[x_0 | x_500] = 0.80957357 for 0.3 N(-1, 0.01) + 0.7 N(1, 0.04)."""
    plan = sampler("ddim", eta=eta).plan(LINEAR, double(500, 400, 0))
    assert float(plan.added[0] + plan.gamma[0] ** 2 * 0.80957357) == pytest.approx(variance, rel=1e-7)


@pytest.mark.parametrize(
    ("form", "values"),
    [("euler", {5: 0.225086, 10: 0.361612, 50: 0.471915}), ("heun", {5: 0.754836, 10: 0.543513, 50: 0.501517})],
)
def test_the_flow_from_one(form: str, values: dict[int, float]) -> None:
    """Derived, data N(0, 0.25), x_T = 1; the exact flow ends at 0.5000076."""
    assert flow(LINEAR, 1000, 0.25) == pytest.approx(0.5000076, abs=5e-8)
    for steps, value in values.items():
        plan = sampler("ddim_ode", form=form).plan(LINEAR, even(steps))
        assert float(law(plan, LINEAR, 0.25)[0]) == pytest.approx(value, abs=6e-7)


@pytest.mark.parametrize(
    ("name", "fields"),
    [("ddim_ode", {"form": "euler"}), *((n, {"solver_order": 1}) for n in ("dpm_solver_pp", "deis"))],
)
def test_first_order_is_ddim_by_any_name(name: str, fields: dict[str, object]) -> None:
    times = even(12)
    plan, ddim = sampler(name, **fields).plan(LINEAR, times), sampler("ddim").plan(LINEAR, times)
    for v in (0.0, 0.25, 1.0, 4.0):
        assert float(law(plan, LINEAR, v)[0]) == pytest.approx(float(law(ddim, LINEAR, v)[0]), rel=1e-9, abs=1e-12)


ORDERS = [
    ("ddim", {}),
    ("ddim_ode", {"form": "euler"}),
    ("ddim_ode", {"form": "heun"}),
    ("edm_heun", {}),
    ("pndm", {}),
    *(("dpm_solver_pp", {"solver_order": order}) for order in (1, 2, 3)),
    *(("unipc", {"solver_order": order}) for order in (1, 2, 3)),
    *(("deis", {"solver_order": order}) for order in (1, 2, 3)),
]
NO_CLAIM = [("ddim", {"eta": 0.5}), ("edm_heun", {"s_churn": 4}), *((n, {}) for n in ANCESTRAL if n != "ddim")]


@pytest.mark.parametrize(("name", "fields"), ORDERS)
def test_the_error_falls_with_the_order_claimed(name: str, fields: dict[str, object]) -> None:
    """The slope of log error against log K on the exact flow, between doublings of K."""
    schedule, v, made = Straight(num_train_timesteps=80), 0.25, sampler(name, **fields)
    steps = (40, 80, 160) if made.order == 4 else (80, 160, 320)
    truth = flow(schedule, 80, v)
    errors = [abs(float(law(made.plan(schedule, down(k)), schedule, v)[0]) - truth) for k in steps]
    slope = math.log(errors[0] / errors[-1]) / math.log(steps[-1] / steps[0])
    assert slope == pytest.approx(made.order, abs=0.15)


@pytest.mark.parametrize(("name", "fields"), NO_CLAIM)
def test_a_sampler_with_noise_claims_no_order(name: str, fields: dict[str, float]) -> None:
    assert sampler(name, **fields).order is None


def test_noise_put_in_between_leaves_the_law_right() -> None:
    """EDM's churn on data N(0, 1), whose marginal is N(0, 1) at every time: in many steps it stays so."""
    schedule = harness.component("schedule", "edm")
    times = harness.component("spacing", "karras").times(schedule, 400)
    plan = sampler("edm_heun", s_churn=40).plan(schedule, times)
    assert (plan.added > 0).sum() == 399
    assert float(law(plan, schedule, 1.0).square().sum()) == pytest.approx(1, abs=2e-3)


def test_churn_starts_from_the_larger_sigma() -> None:
    schedule = harness.component("schedule", "edm")
    times = harness.component("spacing", "karras").times(schedule, 10)
    sigma = schedule.sigma(times)
    plan = sampler("edm_heun", s_churn=2, s_tmin=0.05, s_tmax=50, s_noise=1.003).plan(schedule, times)
    grown = [float(s) * (1.2 if 0.05 <= s <= 50 else 1) for s in sigma[:-1]]
    assert torch.allclose(schedule.sigma(plan.times[:-1:2]), double(*grown), rtol=1e-9)
    # Added to x = sqrt(A) z: A at the larger sigma times the difference of both variances.
    between = [1.003**2 * (g**2 - float(s) ** 2) / (1 + g**2) for s, g in zip(sigma[1:-1], grown[1:], strict=True)]
    assert torch.allclose(plan.added[1::2], double(*between), rtol=1e-7, atol=1e-12)
