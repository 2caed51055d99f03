"""The analytic reverse variance: known answers by quadrature, three estimates of one thing, what bounds and clips keep."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import harness
from tests.plugins.estimates import posterior_variance, summary
from tests.plugins.sampling import double, even, sampler

MIXTURE: dict[str, Any] = {"weights": [0.3, 0.7], "means": [-1.0, 1.0], "stds": [0.1, 0.2]}
NOTHING = torch.zeros(1, 1)
VARIANCE = 0.3 * (0.01 + 1) + 0.7 * (0.04 + 1) - 0.4**2


def analytic(**fields: Any) -> Any:
    return harness.component("variance", "analytic", **fields)


@cache
def target(scale: float = 1.0, shift: float = 0.0) -> Any:
    """The mixture's denoiser, exact or made worse."""
    inner = harness.component("denoiser", "gaussian_mixture", **MIXTURE)
    return harness.denoiser("imperfect", denoiser=inner, scale=scale, shift=shift)


def quadrature(ready: Any, t: int) -> tuple[float, float, float]:
    """E eps_hat^2, E(x_0hat - E x_0)^2 and E(x_0 - x_0hat)^2 over x_t; in the last E[eps | x_t] stands for eps."""
    kept = float(ready.schedule.alpha_bar(double(t)))
    x = torch.linspace(-9, 9, 6001, dtype=torch.float64)[:, None]
    weight = torch.as_tensor(law(kept, x[:, 0].numpy()))
    truth = target().eps(x, float(t))[:, 0]
    guess, eps = (part[:, 0] for part in ready.x0_and_eps(x, float(t)))

    def over(values: Tensor) -> float:
        return float(torch.trapezoid(values * weight, x[:, 0]))

    residual = (1 - kept) / kept * (1 - 2 * over(truth * eps) + over(eps.square()))
    return over(eps.square()), over((guess - 0.4).square()), residual


def law(kept: float, x: Any) -> Any:
    """The density of x_t of the mixture."""
    found = 0.0
    for weight, center, std in zip(*MIXTURE.values(), strict=True):
        variance = kept * std**2 + 1 - kept
        found = found + weight * np.exp(-((x - kept**0.5 * center) ** 2) / 2 / variance) / math.sqrt(
            2 * math.pi * variance
        )
    return found


@cache
def known(t: int, scale: float = 1.0, shift: float = 0.0) -> tuple[float, float, float]:
    return quadrature(target(scale, shift), t)


def fitted(t: int, *numbers: float, variance: float = VARIANCE) -> dict[str, Any]:
    """What `fit` gives, with known numbers at t."""
    rows = {name: torch.zeros(1001, 2, dtype=torch.float64) for name in ("power", "guess", "residual")}
    for part, number in zip(rows.values(), numbers, strict=True):
        part[t, 0] = number
    return {**rows, "variance": torch.tensor(variance), "denoiser": target()}


def sigma2(name: str, s: int, t: int, c: float) -> float:
    found = sampler(name).transition(harness.component("schedule", "linear"), double(t, s))
    return float(found[2][0] + found[3][0] * c)


@pytest.mark.verify
@pytest.mark.parametrize(
    ("s", "t", "ms", "cbar", "ddim", "ddpm", "least", "most"),
    [
        (99, 100, 0.73331441, 0.030616746, 2.8137914e-6, 0.0020457379, 0.0020346, 0.00207637),
        (400, 500, 0.93095151, 0.80957357, 0.026157423, 0.58811990, 0.5217333129, 1.48318),
        (1, 112, 0.72252950, 0.040145015, 0.038058019, 0.040185457, 9.99e-5, None),
    ],
)
@pytest.mark.parametrize("estimator", ["E1", "E2", "E3"])
def test_known_answers_by_quadrature(
    estimator: str, s: int, t: int, ms: float, cbar: float, ddim: float, ddpm: float, least: float, most: float | None
) -> None:
    """The numbers are printed with eight digits, the bounds with fewer; for an exact guess all three estimates agree."""
    numbers = known(t)
    assert numbers[0] == pytest.approx(ms, rel=1e-6)
    c = posterior_variance(analytic(estimator=estimator), fitted(t, *numbers), NOTHING, float(t), float(s), NOTHING)
    assert c == pytest.approx(cbar, rel=1e-6)
    assert sigma2("ddim", s, t, c) == pytest.approx(ddim, rel=1e-6)
    assert sigma2("ddpm", s, t, c) == pytest.approx(ddpm, rel=1e-6)
    assert sigma2("ddpm", s, t, 0.0) == pytest.approx(least, rel=1e-3)
    if most is not None:
        kept = float(harness.component("schedule", "linear").alpha_bar(double(t)))
        assert sigma2("ddpm", s, t, (1 - kept) / kept) == pytest.approx(most, rel=1e-5)


@pytest.mark.parametrize(("v", "ddpm", "ddim"), [(1.0, 0.5972909324, 0.0297709614), (0.0, 0.5217333129, 0.0)])
def test_normal_data(v: float, ddpm: float, ddim: float) -> None:
    """DDPM's is beta for data of unit variance, beta~ for a point, and always the true Var[x_s | x_t]."""
    kept, then = harness.component("schedule", "linear").alpha_bar(double(500, 400)).tolist()
    total = kept * v + 1 - kept
    c = posterior_variance(analytic(), fitted(500, 0, 0, v * (1 - kept) / total), NOTHING, 500.0, 400.0, NOTHING)
    assert sigma2("ddpm", 400, 500, c) == pytest.approx(ddpm, rel=1e-9)
    assert sigma2("ddim", 400, 500, c) == pytest.approx(ddim, rel=1e-8, abs=1e-15)
    true = then * v + 1 - then - (kept / then) * (then * v + 1 - then) ** 2 / total
    assert sigma2("ddpm", 400, 500, c) == pytest.approx(true, rel=1e-9)


@pytest.mark.parametrize(
    ("fields", "first", "third"), [({"scale": 0.9}, 2.8834, 0.9187), ({"shift": 0.2}, 0.3406, 1.2786)]
)
def test_a_guess_that_is_wrong_misleads_the_first_estimate_alone(
    fields: dict[str, float], first: float, third: float
) -> None:
    numbers = known(500, **fields)
    free = {name: analytic(estimator=name, bounds=[]) for name in ("E1", "E3")}
    c = {
        name: posterior_variance(each, fitted(500, *numbers), NOTHING, 500.0, 0.0, NOTHING)
        for name, each in free.items()
    }
    assert c["E1"] == pytest.approx(first, abs=6e-5) and c["E3"] == pytest.approx(third, abs=6e-5)
    assert c["E3"] == pytest.approx(numbers[2], rel=1e-12)
    kept = posterior_variance(analytic(estimator="E3"), fitted(500, *numbers), NOTHING, 500.0, 0.0, NOTHING)
    assert kept == c["E3"] > VARIANCE, "the error of a guess may pass the variance of data"
    assert posterior_variance(analytic(estimator="E1"), fitted(500, *numbers), NOTHING, 500.0, 0.0, NOTHING) <= VARIANCE


@pytest.fixture(scope="module")
def estimates() -> dict[str, Any]:
    """Fitted to draws at every time."""
    ready = harness.denoiser("gaussian_mixture", **MIXTURE)
    data = ready.sample(1000, torch.Generator().manual_seed(0))
    return analytic(draws=1000).fit(ready, data, torch.Generator().manual_seed(1)) | {"denoiser": ready}


@pytest.mark.verify
@pytest.mark.parametrize("t", [1, 50, 112, 300, 500, 800])
def test_the_three_agree_within_their_errors(t: int, estimates: dict[str, Any]) -> None:
    kept = float(harness.component("schedule", "linear").alpha_bar(double(t)))
    truth = known(t)[2]
    errors = {"E1": (1 - kept) / kept * estimates["power"][t, 1], "E2": estimates["guess"][t, 1]}
    errors["E3"] = estimates["residual"][t, 1]
    for name, error in errors.items():
        c = posterior_variance(analytic(estimator=name, bounds=[]), estimates, NOTHING, float(t), 0.0, NOTHING)
        assert abs(c - truth) < 5 * float(error), name


def test_errors_are_those_of_a_thousand_draws(estimates: dict[str, Any]) -> None:
    """Of 100 repeats at t = 300: E1 0.056, E2 0.022, E3 0.023, to a tenth; here Var x_0 is known, so E2 has less."""
    kept = float(harness.component("schedule", "linear").alpha_bar(double(300)))
    assert float((1 - kept) / kept * estimates["power"][300, 1]) == pytest.approx(0.056, rel=0.25)
    assert 0.01 < float(estimates["guess"][300, 1]) < 0.022
    assert float(estimates["residual"][300, 1]) == pytest.approx(0.023, rel=0.25)


@pytest.mark.verify
@pytest.mark.parametrize("estimator", ["E1", "E2", "E3"])
@pytest.mark.parametrize("name", ["ddpm", "ddim"])
def test_bounds_hold_for_every_pair_of_times(estimator: str, name: str, estimates: dict[str, Any]) -> None:
    """lambda^2 <= sigma^2 <= lambda^2 + (sqrt(B_t / A_{t|s}) - sqrt(B_s - lambda^2))^2 (Bao et al., theorem 2).

    E3 is cut to nothing, so it is known up to its error only.
    """
    variance, schedule = analytic(estimator=estimator), harness.component("schedule", "linear")
    for t in range(2, 1001, 3):
        c = posterior_variance(variance, estimates, NOTHING, float(t), 0.0, NOTHING)
        c -= 5 * float(estimates["residual"][t, 1]) if estimator == "E3" else 0.0
        ends = torch.arange(1.0, t, dtype=torch.float64)
        pairs = torch.stack([torch.full_like(ends, t), ends], 1).flatten()
        _, _, added, share = (part[::2] for part in sampler(name).transition(schedule, pairs))
        now, then = schedule.alpha_bar(double(t)), schedule.alpha_bar(ends)
        most = added + (((1 - now) * then / now).sqrt() - (1 - then - added).clamp(min=0).sqrt()).square()
        found = added + share * c
        assert bool((found <= most * (1 + 1e-9) + 1e-15).all())
        assert estimator == "E3" or bool((found >= added).all())
    assert posterior_variance(variance, estimates, NOTHING, 1000.0, 0.0, NOTHING) <= VARIANCE * 1.05


@pytest.mark.parametrize(
    ("power", "bounds", "most"),
    [(0.5, ["noise"], None), (0.5, ["variance"], VARIANCE), (0.5, [], 0.5 * 24777), (1.5, [], 0.0)],
)
def test_the_first_estimate_is_cut_where_it_is_all_noise(power: float, bounds: list[str], most: float | None) -> None:
    c = posterior_variance(
        analytic(estimator="E1", bounds=bounds), fitted(1000, power, 0, 0), NOTHING, 1000.0, 0.0, NOTHING
    )
    kept = float(harness.component("schedule", "linear").alpha_bar(double(1000)))
    assert c == pytest.approx((1 - kept) / kept * min(0.5, 1) if most is None else most, rel=1e-4)


def test_between_whole_times_it_is_a_straight_line(estimates: dict[str, Any]) -> None:
    low, middle, high = (
        posterior_variance(analytic(), estimates, NOTHING, t, 0.0, NOTHING) for t in (300.0, 300.25, 301.0)
    )
    assert middle == pytest.approx(0.75 * low + 0.25 * high, rel=1e-12) and low < high
    assert 0 < posterior_variance(analytic(), estimates, NOTHING, 0.5, 0.0, NOTHING) < 1e-4


def test_what_was_fitted_is_said(estimates: dict[str, Any]) -> None:
    said = summary(analytic(estimator="E3"), estimates)
    assert "c by E3 from 1,000 draws per time, to " in said and "standard error" in said and "at t = " in said
    nothing = fitted(500, 0.0, 0.0, 0.3)
    assert summary(analytic(), nothing).endswith("at t = 500; past its bound and cut to 0 at 999")


@pytest.mark.parametrize(("y", "most"), [(1.0, 9.66272e-5), (2.0, 3.865089e-4)])
def test_the_last_noise_above_zero_is_clipped(y: float, most: float) -> None:
    """E|sigma e| <= (2 / 255) y, and no other step knows of it; a likelihood does not either."""
    schedule = harness.component("schedule", "linear")
    plan, free = (sampler("ddpm", **f).plan(schedule, even(10)) for f in ({"clip_last": y}, {}))
    assert float(plan.most[-2]) == pytest.approx(most, rel=1e-5) and bool(plan.most[:-2].isinf().all())
    assert torch.equal(plan.added, free.added) and torch.equal(plan.scale, free.scale)
    one, other = (sampler("ddpm", **f).transition(schedule, even(10)) for f in ({"clip_last": y}, {}))
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_what_is_clipped_is_the_noise_that_is_added() -> None:
    ready = harness.denoiser("gaussian", variance=1.0)
    x, big = torch.zeros(20000, 1), 1.0
    for fields, expected in (({"clip_last": 2.0}, 3.865089e-4), ({}, None)):
        found = sampler("ddim", **fields).sample(ready, lambda *_: big, x, double(500, 400, 0), harness.NoiseSource(3))
        kept, then = ready.schedule.alpha_bar(double(500, 400)).tolist()
        gamma2 = (then**0.5 - ((1 - then) / (1 - kept)) ** 0.5 * kept**0.5) ** 2
        variance = expected or gamma2 * big
        slope = then**0.5  # x_0hat of x_400 = sqrt(A) x for unit data
        assert float(found.var()) == pytest.approx(slope**2 * variance, rel=0.05)
