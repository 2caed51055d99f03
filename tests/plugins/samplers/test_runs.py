"""Samplers at work: their plans carried out, noise that does not depend on the batch, covariances of every form."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from tests.plugins.sampling import Recorder, TwoPoints, double, even, gaussian, law, sampler

LINEAR = harness.component("schedule", "linear")
DETERMINISTIC: list[tuple[str, dict[str, Any]]] = [
    ("ddim_ode", {"form": "euler"}),
    ("ddim_ode", {"form": "heun"}),
    ("edm_heun", {}),
    ("dpm_solver_pp", {"solver_order": 1}),
    ("dpm_solver_pp", {"solver_order": 2}),
    ("dpm_solver_pp", {"solver_order": 3}),
    ("unipc", {"solver_order": 1}),
    ("unipc", {"solver_order": 2}),
    ("unipc", {"solver_order": 3}),
    ("deis", {"solver_order": 3}),
    ("pndm", {}),
]
NOISY: list[tuple[str, dict[str, Any]]] = [
    ("ddpm", {}),
    ("ddpm_vae", {}),
    ("ddpm_bayes", {}),
    ("ddim", {"eta": 0.5}),
    ("ddim", {"eta": 0.0}),
    ("sigma_hat", {}),
    ("edm_heun", {"s_churn": 5}),
]
EVERY = DETERMINISTIC + NOISY


def start(n: int, *shape: int) -> Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("noise_last_step", [False, True])
@pytest.mark.parametrize(("name", "fields"), EVERY)
def test_a_run_is_its_plan(name: str, fields: dict[str, Any], noise_last_step: bool) -> None:
    """On normal data the plan, followed by hand, is x_0 as a combination of x_T and the draws."""
    v, times, made = 0.25, even(8), sampler(name, **fields)
    denoiser, noise, x = gaussian(variance=v), harness.NoiseSource(3), start(5, 1).double()

    def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> float:
        kept = float(LINEAR.alpha_bar(double(t)))
        return v * (1 - kept) / (kept * v + 1 - kept)

    plan = made.plan(LINEAR, times, noise_last_step)
    coefficients = law(plan, LINEAR, v, exact=True)
    draws = torch.stack([x, *(noise(k, x) for k in range(len(plan.scale)))])
    kept = x.clone()
    found = made.sample(denoiser, covariance, x, times, noise, noise_last_step=noise_last_step)
    assert torch.allclose(found, torch.tensordot(coefficients, draws, 1), rtol=1e-9, atol=1e-12)
    assert torch.equal(x, kept) and denoiser.evaluated == 5 * len(plan.scale)


@pytest.mark.parametrize(("name", "fields"), [case for case in EVERY if case != ("ddim_ode", {"form": "heun"})])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 11])
def test_a_single_point_is_hit_in_any_number_of_steps(name: str, fields: dict[str, Any], steps: int) -> None:
    """The network knows x_0 and finds the same eps all along the flow. (Heun's last slope is that of data with a density.)"""
    times = torch.cat([torch.linspace(1000, 1, steps, dtype=torch.float64), double(0)])
    denoiser = gaussian(mean=3.0, variance=0.0, dim=2)
    made = sampler(name, **fields)
    found = made.sample(denoiser, None, start(64, 2).double(), times, harness.NoiseSource(0))
    assert torch.allclose(found, torch.full_like(found, 3.0), rtol=1e-9)
    assert made.sample(denoiser, None, start(64, 2), times, harness.NoiseSource(0)).dtype == torch.float32


@pytest.mark.parametrize(("name", "fields"), EVERY)
@pytest.mark.parametrize("nfe", [1, 2, 3, 10, 11])
def test_as_many_steps_as_the_evaluations_allow(name: str, fields: dict[str, Any], nfe: int) -> None:
    made = sampler(name, **fields)

    def evaluations(steps: int) -> int:
        denoiser = gaussian()
        times = torch.linspace(1000, 0, steps + 1, dtype=torch.float64)
        made.sample(denoiser, None, start(1, 1), times, harness.NoiseSource(0))
        return denoiser.evaluated

    steps = made.steps_for_nfe(nfe)
    assert evaluations(steps) <= nfe < evaluations(steps + 1)


def scalar(x: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
    return torch.tensor(0.1)


def elementwise(x: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
    return 0.1 + eps.square()


def matrix(x: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
    return x[:, :, None] * x[:, None, :] + 0.1 * torch.eye(x.shape[1])


@pytest.mark.parametrize("covariance", [None, scalar, elementwise, matrix])
@pytest.mark.parametrize(("name", "fields"), NOISY)
def test_results_do_not_depend_on_the_batch_to_the_bit(name: str, fields: dict[str, Any], covariance: Any) -> None:
    made, times, noise, x = sampler(name, **fields), even(7), harness.NoiseSource(7), start(256, 3)

    def batch(first: int, last: int) -> Tensor:
        return made.sample(Recorder(TwoPoints()), covariance, x[first:last].clone(), times, noise.after(first))

    whole = batch(0, 256)
    for size in (64, 128):
        assert torch.equal(torch.cat([batch(k, k + size) for k in range(0, 256, size)]), whole)
    deterministic = name == "ddim" and not fields["eta"] and covariance is None
    other = made.sample(Recorder(TwoPoints()), covariance, x, times, harness.NoiseSource(8))
    assert torch.equal(other, whole) == deterministic


@pytest.mark.parametrize(("name", "fields"), [*DETERMINISTIC, ("sigma_hat", {}), ("edm_heun", {"s_churn": 5})])
def test_a_sampler_that_ignores_the_variance_does(name: str, fields: dict[str, Any]) -> None:
    made, times, x = sampler(name, **fields), even(7), start(64, 3)
    assert made.unused_kinds == ("variance",)
    one, other = (made.sample(Recorder(TwoPoints()), c, x, times, harness.NoiseSource(1)) for c in (None, scalar))
    assert torch.equal(one, other)


class Unit:
    """In place of noise: the sample's own number, as a unit vector, at the first step; nothing later."""

    def __call__(self, step: int, x: Tensor) -> Tensor:
        return torch.eye(len(x), dtype=x.dtype).view_as(x) * (step == 0)


FULL = torch.tensor([[2.0, 0.6, 0.1, 0.0], [0.6, 1.0, 0.3, 0.2], [0.1, 0.3, 0.5, 0.0], [0.0, 0.2, 0.0, 0.3]]).double()
DIAGONAL = double(0.5, 0.0, 2.0, 0.3)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (0.3, 0.3 * torch.eye(4)),
        (torch.tensor(0.3), 0.3 * torch.eye(4)),
        (DIAGONAL.view(1, 2, 2), DIAGONAL.diag()),
        (DIAGONAL.view(1, 2, 2).expand(4, 2, 2), DIAGONAL.diag()),
        (FULL.expand(4, 4, 4), FULL),
        (FULL[None], FULL),
    ],
)
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_noise_has_the_covariance_asked_for(given: Any, meant: Tensor, eta: float) -> None:
    """lambda^2 I + gamma^2 C, drawn by its symmetric root: unit draws show the root's columns."""
    made, times = sampler("ddim", eta=eta), double(500, 400, 0)
    x = torch.zeros(4, 2, 2, dtype=torch.float64)
    denoiser = Recorder(Flat())
    made.sample(denoiser, lambda *_: given, x, times, Unit())
    root = denoiser.points[1].flatten(1)
    kept_t, kept_s = (float(LINEAR.alpha_bar(double(t))) for t in (500, 400))
    added = eta**2 * (1 - kept_t / kept_s) * (1 - kept_s) / (1 - kept_t)
    gamma = kept_s**0.5 - ((1 - kept_s - added) * kept_t / (1 - kept_t)) ** 0.5
    assert torch.allclose(root, root.T, atol=1e-7)
    wanted = added * torch.eye(4) + gamma**2 * meant.double()
    assert torch.allclose(root @ root, wanted, rtol=1e-6, atol=1e-7)


class Flat(harness.Denoiser):
    """Guesses no noise."""

    shape: tuple[int, ...] = (2, 2)
    schedule: harness.Schedule = LINEAR

    def load(self, device: str) -> None:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return 0 * x


class Echo(Flat):
    """Answers the very tensor it was given."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return x


class Copy(Flat):
    """Answers a copy of what it was given."""

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        return x.clone()


@pytest.mark.parametrize(("name", "fields"), EVERY)
def test_an_answer_that_is_the_input_itself_is_not_written_over(name: str, fields: dict[str, Any]) -> None:
    made, times, x = sampler(name, **fields), even(7), start(4, 2, 2)
    one, other = (made.sample(Recorder(net), None, x, times, harness.NoiseSource(1)) for net in (Echo(), Copy()))
    assert torch.equal(one, other)


@pytest.mark.parametrize("times", [(500, 500, 0), (400, 500, 0), (500, 400), (0, 0)])
def test_times_that_do_not_fall_to_0_are_a_mistake(times: tuple[float, ...]) -> None:
    with pytest.raises(harness.BenchError, match=f"must fall to 0, got {times[0]}, {times[1]}"):
        sampler("ddpm").sample(Recorder(Flat()), None, start(4, 2, 2), double(*times), harness.NoiseSource(1))
