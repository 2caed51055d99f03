"""Metrics of the map from noise to data, on normal data, where every deterministic step is a factor."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

import harness
from tests.plugins.sampling import even, law, sampler

LINEAR = harness.component("schedule", "linear")
V = 0.25


def measured(metric: str, name: str, steps: int, seed: int = 0, dim: int = 4, **fields: Any) -> Any:
    made, model = harness.component("metric", metric), harness.denoiser("gaussian", variance=V, dim=dim)
    x0 = model.sample(512, torch.Generator().manual_seed(seed))
    given = {"reference": x0, "model": model, "sampler": sampler(name, **fields), "covariance": None}
    given |= {"times": even(steps), "noise": harness.NoiseSource(seed)}
    wanted = [key for key in given if metric == "consistency" or key != "covariance"]
    return made(**{key: given[key] for key in wanted}), x0


def upward(steps: int) -> float:
    """x_T / x_0 by Euler's method in r, from the least time up, for data N(0, V)."""
    kept = LINEAR.alpha_bar(even(steps)).flip(0)
    z, ratio = 1.0, LINEAR.sigma(even(steps)).flip(0).tolist()
    for k in range(1, len(kept) - 1):
        a = float(kept[k])
        eps = math.sqrt(1 - a) * math.sqrt(a) * z / (a * V + 1 - a)
        z += (ratio[k + 1] - ratio[k]) * eps
    return z * math.sqrt(float(kept[-1]))


@pytest.mark.parametrize("steps", [5, 10, 50])
def test_the_error_of_an_inversion_is_that_of_two_products(steps: int) -> None:
    found, x0 = measured("inversion_error", "ddim", steps)
    down = float(law(sampler("ddim").plan(LINEAR, even(steps)), LINEAR, V)[0])
    x0 = x0[:256].double()
    power, spread = x0.square().mean(), (x0 - x0.mean(0)).square().mean()
    assert found == pytest.approx(float((upward(steps) * down - 1) ** 2 * power / spread), rel=1e-3, abs=1e-9)


def test_the_error_of_an_inversion_falls_with_the_steps_and_noise_forgets() -> None:
    errors = [measured("inversion_error", "ddim", steps)[0] for steps in (10, 40, 160, 640)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-3
    # Stochastic samples do not depend on x_T: their variance beside that of the data is added.
    assert measured("inversion_error", "ddpm", 640)[0] == pytest.approx(2, abs=0.2)


def test_a_point_has_no_scale() -> None:
    given = {"model": harness.denoiser("gaussian", variance=0.0), "sampler": sampler("ddim"), "times": even(5)}
    made, x0 = harness.component("metric", "inversion_error"), torch.zeros(64, 1)
    assert made(reference=x0, noise=harness.NoiseSource(0), **given) is None


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_the_distance_of_two_runs_is_that_of_their_laws(eta: float) -> None:
    """Each run is a factor of x_T and independent noise, by recursion of its plan."""
    made, times = sampler("ddim", eta=eta), even(10)
    inner = torch.cat([torch.linspace(float(a), float(b), 11)[:-1].double() for a, b in pairwise(times)])
    few, many = (
        law(made.plan(LINEAR, each), LINEAR, V) for each in (times, torch.cat([inner, torch.zeros(1).double()]))
    )
    own = float(few[1:].square().sum() + many[1:].square().sum())
    same = float((few[0] - many[0]).square()) + own
    other = float(few[0].square() + many[0].square()) + own
    values = [measured("consistency", "ddim", 10, seed, dim=16, eta=eta)[0] for seed in range(4)]
    assert sum(values) / 4 == pytest.approx(same / other, rel=0.05)
