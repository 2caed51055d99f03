"""harness.sample: samples without a suite."""

from __future__ import annotations

import pytest
import torch

import harness
from harness import BenchError
from harness.random import generator


@pytest.mark.parametrize(("sampler", "variance"), [("ddim", None), ("ddpm", "beta"), ("dpm_solver_pp", None)])
def test_samples_are_those_of_the_sampler_on_this_seeds_noise(sampler: str, variance: str | None) -> None:
    model = harness.denoiser("grid25")
    found = harness.sample("grid25", sampler=sampler, variance=variance, steps=6, n=100, seed=5, spacing="log_snr")
    times = harness.component("spacing", "log_snr").times(model.schedule, 6)
    start = torch.randn(100, 2, generator=generator(5, "x_T"))
    covariance = harness.component("variance", variance).bind(model, {}) if variance else None
    expected = harness.component("sampler", sampler).sample(model, covariance, start, times, harness.NoiseSource(5))
    assert torch.equal(found, expected)


def test_a_model_a_component_and_a_name_are_one_and_the_batch_does_not_count() -> None:
    component = harness.component("denoiser", "gaussian_mixture")
    expected = harness.sample("gaussian_mixture", n=130, seed=1)
    assert expected.shape == (130, 1)
    for model in (component, harness.denoiser("gaussian_mixture")):
        assert torch.equal(harness.sample(model, n=130, seed=1, batch=64), expected)
    assert not torch.equal(harness.sample(component, n=130, seed=2), expected)


def test_an_estimate_is_fitted_to_the_model() -> None:
    found = harness.sample("gaussian", sampler="ddpm", variance="analytic", steps=20, n=4096)
    assert float(found.var()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "gausian"}, "did you mean gaussian"),
        ({"model": "gaussian", "sampler": "dim"}, "did you mean ddim"),
        ({"model": "gaussian", "spacing": "evn"}, "did you mean even"),
        ({"model": "gaussian", "variance": "bta"}, "did you mean beta"),
        ({"model": "gaussian", "clip_x0": True}, "no range to clip to"),
        ({"model": "imperfect"}, "needs a value for denoiser"),
    ],
)
def test_mistakes_are_one_line(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BenchError, match=said):
        harness.sample(**fields)  # type: ignore[arg-type]
