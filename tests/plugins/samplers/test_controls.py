"""The two yardsticks: both give the target itself, at any number of steps and in any batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import harness

TWO = {"weights": [0.3, 0.7], "means": [-1.0, 1.0], "stds": [0.1, 0.2]}
NAMES = ["iid", "exact_kernel"]
THREE_STEPS = [1000.0, 620.5, 150.0, 0.0]


class Trained(harness.Denoiser):
    """Knows nothing but its guess."""

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return x


def sampled(name: str, ready: Any, n: int, times: list[float], seed: int = 0, dtype: Any = torch.float32) -> Any:
    x = torch.randn(n, *ready.shape, generator=torch.Generator().manual_seed(seed + 10)).to(dtype)
    sampler = harness.component("sampler", name)
    return sampler.sample(ready, None, x, torch.tensor(times, dtype=torch.float64), harness.NoiseSource(seed))


@pytest.mark.parametrize("name", NAMES)
class TestBoth:
    @pytest.mark.parametrize("times", [[1000.0, 0.0], THREE_STEPS, list(np.linspace(1000, 0, 11))])
    def test_have_the_distribution_at_any_number_of_steps(self, name: str, times: list[float]) -> None:
        x = sampled(name, harness.denoiser("gaussian_mixture", **TWO), 20_000, times)[:, 0].numpy()

        def law(v: Any) -> Any:
            return 0.3 * stats.norm(-1, 0.1).cdf(v) + 0.7 * stats.norm(1, 0.2).cdf(v)

        assert stats.kstest(x, law).pvalue > 1e-4

    @pytest.mark.verify
    @pytest.mark.parametrize(("target", "n"), [("grid25", 50_000), ("fitted_mixture", 8_000)])
    def test_keep_the_moments_in_three_steps(self, name: str, target: str, n: int) -> None:
        ready = harness.denoiser(target)
        x = sampled(name, ready, n, THREE_STEPS).double()
        mean, covariance = ready.moments()
        products = (x - mean)[:, :, None] * (x - mean)[:, None]
        assert ((x.mean(0) - mean).abs() < 5 * x.std(0) / n**0.5).all()
        assert ((products.mean(0) - covariance).abs() < 5 * products.std(0) / n**0.5).all()

    @pytest.mark.verify
    @pytest.mark.parametrize("target", ["grid25", "fitted_mixture"])
    def test_bits_do_not_depend_on_the_batch(self, name: str, target: str) -> None:
        ready, times = harness.denoiser(target), torch.tensor(THREE_STEPS, dtype=torch.float64)
        sampler, noise = harness.component("sampler", name), harness.NoiseSource(4)
        x = torch.randn(200, *ready.shape, generator=torch.Generator().manual_seed(0))
        for start in (x, x.double()):
            whole = sampler.sample(ready, None, start, times, noise)
            batches = [sampler.sample(ready, None, start[k : k + 64], times, noise.after(k)) for k in range(0, 200, 64)]
            assert torch.equal(torch.cat(batches), whole)
            assert torch.equal(sampler.sample(ready, None, start[:1], times, noise), whole[:1])

    @pytest.mark.verify
    def test_keep_the_type_and_differ_by_seed(self, name: str) -> None:
        ready = harness.denoiser("grid25")
        for dtype in (torch.float32, torch.float64):
            assert sampled(name, ready, 70, THREE_STEPS, dtype=dtype).dtype == dtype
        x = [sampled(name, ready, 70, THREE_STEPS, seed) for seed in (0, 1)]
        assert not torch.isclose(x[0], x[1]).any()

    def test_are_controls_without_evaluations(self, name: str) -> None:
        ready, sampler = harness.denoiser("gaussian"), harness.component("sampler", name)
        sampled(name, ready, 5, THREE_STEPS)
        assert sampler.is_control and "variance" in sampler.unused_kinds and ready.evaluated == 0

    def test_skip_what_is_not_known(self, name: str) -> None:
        sampler = harness.component("sampler", name)
        assert " no " in sampler.skip(Trained()) and sampler.skip(harness.component("denoiser", "grid25")) is None


def test_the_exact_kernel_is_the_reverse_of_normal_data() -> None:
    # For N(0, v) the law of x_0 from x_T is normal with mean sqrt(A_T) v / (A_T v + B_T) x_T: the steps between must
    # not change it, so its covariance with x_T and its variance are known.
    ready, n, v = harness.denoiser("gaussian", variance=4.0), 100_000, 4.0
    x = torch.randn(n, 1, generator=torch.Generator().manual_seed(8)).double()
    times = torch.tensor([300.0, 200.0, 50.0, 0.0], dtype=torch.float64)
    a = float(np.prod(1 - np.linspace(1e-4, 0.02, 1000)[:300]))
    out = harness.component("sampler", "exact_kernel").sample(ready, None, x, times, harness.NoiseSource(9))
    gain, left = a**0.5 * v / (a * v + 1 - a), v * (1 - a) / (a * v + 1 - a)
    rest = out - gain * x
    assert abs(float((rest * x).mean())) < 5 * (left / n) ** 0.5
    assert abs(float(rest.square().mean()) - left) < 5 * left * (2 / n) ** 0.5
