"""Bits per dimension of images with gray levels, and the likelihood of the probability flow."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

import harness
from tests.plugins.estimates import posterior_variance
from tests.plugins.sampling import double, even, sampler

LINEAR = harness.component("schedule", "linear")


class Levels(harness.Denoiser):
    """Guesses 0 wherever data are, in [-1, 1]."""

    shape: tuple[int, ...] = (3,)
    schedule: harness.Schedule = LINEAR
    prediction_type = "sample"
    data_range: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return torch.zeros_like(x)


def given(x0: Tensor, steps: int = 5) -> dict[str, Any]:
    ready = harness.DiffusionModel(Levels(), None)
    beta = harness.component("variance", "beta")

    def covariance(*args: Any) -> Any:
        return posterior_variance(beta, {"denoiser": ready}, *args)

    parts = {"reference": x0, "model": ready, "sampler": sampler("ddpm"), "covariance": covariance}
    return {**parts, "times": even(steps), "noise": harness.NoiseSource(3)}


def bits(x0: Tensor, **fields: Any) -> Any:
    return harness.call_with_inputs(harness.component("metric", "bits_per_dim", **fields), **given(x0))


def level(x0: Tensor, deviation: float, half: float) -> float:
    """-log of the mass of each value's own level under N(0, deviation^2), the outer ones without end; scipy's."""
    x = x0.numpy().astype(float)
    upper = np.where(x >= 1 - half, 1.0, stats.norm.cdf((x + half) / deviation))
    lower = np.where(x <= -1 + half, 0.0, stats.norm.cdf((x - half) / deviation))
    return -float(np.log(upper - lower).mean())


def before(x0: Tensor) -> float:
    """The start and the steps, nats."""
    terms = (harness.component("metric", "nelbo", term=term) for term in ("prior", "steps"))
    return sum(float(harness.call_with_inputs(metric, **given(x0))) for metric in terms)


FIVE = torch.randint(-2, 3, (400, 3), generator=torch.Generator().manual_seed(0)) / 2.0


def test_bits_are_start_steps_and_the_mass_of_the_level() -> None:
    """With the deviation that is best for all, found by trying."""
    end = min(level(FIVE, deviation, 0.25) for deviation in np.geomspace(0.2, 5, 2000))
    assert bits(FIVE) == pytest.approx((before(FIVE) + end) / math.log(2), rel=1e-5)


def test_a_published_decoder_is_normal_with_beta_tilde() -> None:
    """So narrow that levels beside the guess are far tails: 0.25 and 0.75 are 34 and 102 deviations."""
    one, two = LINEAR.alpha_bar(double(1, 2)).tolist()
    deviation = ((1 - two / one) * (1 - one) / (1 - two)) ** 0.5
    ends = {0.0: 0.0, 0.5: stats.norm.logsf(0.25 / deviation), 1.0: stats.norm.logsf(0.75 / deviation)}
    end = -sum(ends[abs(x)] for x in FIVE.flatten().tolist()) / FIVE.numel()
    assert bits(FIVE, decoder="beta_tilde") == pytest.approx((before(FIVE) + end) / math.log(2), rel=1e-6)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (torch.arange(17) / 8 - 1, 17),
        (torch.arange(256) / 127.5 - 1, 256),
        (torch.tensor([-1.0, -0.5, 1.0]), 5),
        (torch.tensor([-1.0, 0.1, 0.35]), None),
        (torch.linspace(-1, 1.2, 12), None),
        (torch.randn(100, generator=torch.Generator().manual_seed(0)).clamp(-1, 1), None),
        (torch.zeros(4), None),
    ],
)
def test_levels_are_those_of_the_data(data: Tensor, count: int | None) -> None:
    from harness.stock.metrics.bits_per_dim import levels

    assert levels(data.float(), (-1.0, 1.0)) == count
    assert levels(data.float(), None) is None


@pytest.mark.parametrize(("name", "count"), [("digits", 17), ("patches", 256)])
def test_the_scans_have_17_levels_and_photographs_256(name: str, count: int) -> None:
    from harness.stock.metrics.bits_per_dim import levels

    denoiser = harness.component("denoiser", name)
    assert levels(denoiser.reference_data(None), denoiser.data_range) == count


def test_what_has_no_levels_has_no_bits() -> None:
    x0 = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    assert bits(x0) is None


def flow(ready: Any, x0: Tensor, times: Tensor, name: str = "ddim_ode", seed: int = 3) -> Any:
    parts = {"reference": x0, "model": ready, "sampler": sampler(name), "times": times}
    return harness.call_with_inputs(harness.component("metric", "ode_nll"), **parts, noise=harness.NoiseSource(seed))


def test_the_flow_of_normal_data_has_their_density() -> None:
    """Up to what x_T of data is not standard normal, 2e-5 here; the error falls with the square of the step."""
    ready = harness.denoiser("gaussian", variance=0.25, mean=0.5, dim=2)
    x0 = ready.sample(256, torch.Generator().manual_seed(0))
    truth = -float(ready.log_prob(x0).double().mean()) / 2
    errors = [abs(flow(ready, x0, torch.linspace(1000, 0, k + 1).double()) - truth) for k in (100, 400)]
    assert errors[1] < 3e-4 and errors[1] < errors[0] / 8


def test_the_flow_of_a_mixture_has_its_density() -> None:
    ready = harness.denoiser("gaussian_mixture", weights=[0.3, 0.7], means=[-1.0, 1.0], stds=[0.2, 0.3])
    x0 = ready.sample(512, torch.Generator().manual_seed(0))
    truth = -float(ready.log_prob(x0).double().mean())
    times = harness.component("spacing", "log_snr").times(ready.schedule, 200)
    assert flow(ready, x0, times) == pytest.approx(truth, abs=0.01)


def test_a_coarse_flow_is_not_better() -> None:
    """The fault: 5 steps on the narrow mixture report a density far above the true one; so no direction is claimed."""
    ready = harness.denoiser("gaussian_mixture", weights=[0.3, 0.7], means=[-1.0, 1.0], stds=[0.1, 0.2])
    x0 = ready.sample(512, torch.Generator().manual_seed(0))
    truth = -float(ready.log_prob(x0).double().mean())
    spacing = harness.component("spacing", "log_snr")
    coarse, fine = (flow(ready, x0, spacing.times(ready.schedule, steps)) for steps in (5, 100))
    assert coarse < truth - 4 and abs(fine - truth) < 0.02
    assert harness.component("metric", "ode_nll").higher_is_better is None


def test_in_many_dimensions_the_divergence_is_probed_without_bias() -> None:
    """Full covariances in 64 dimensions: the steps leave 0.067, 0.012 and 0.005 nats in 40, 80 and 160 of them."""
    ready = harness.denoiser("fitted_mixture")
    x0 = ready.sample(64, torch.Generator().manual_seed(0))
    truth = -float(ready.log_prob(x0).double().mean()) / 64
    times = harness.component("spacing", "log_snr").times(ready.schedule, 160)
    assert flow(ready, x0, times) == pytest.approx(truth, abs=0.012)


@pytest.mark.parametrize("name", ["ddpm", "ddim", "iid"])
def test_other_samplers_follow_no_flow(name: str) -> None:
    ready = harness.denoiser("gaussian")
    assert flow(ready, torch.zeros(2, 1), even(3), name) is None
