"""Networks that take sigma or a function of it for a time, and schedules that leave nothing of the data at T."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from harness import Denoiser, DiffusionModel, Schedule

VARIANCE = 0.25


class Given(Denoiser):
    """E[x_0 | x_0 + sigma z] for normal data, of what the network is given in place of t."""

    shape = (2,)
    prediction_type = "sample"
    parameterization = "ve"
    time: Any = "sigma"

    def load(self, device: str) -> Any:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        sigma = {"sigma": t, "log_sigma": t.exp(), "c_noise": (4 * t).exp()}[self.time][:, None]
        return (x * VARIANCE / (VARIANCE + sigma.square())).to(x)


class Angle(Schedule):
    """A_t = cos(pi t / 2 T)^2, which is 0 at T."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        t = torch.as_tensor(t, dtype=torch.float64)
        kept = (math.pi / 2 * t / self.num_train_timesteps).cos().square()
        return torch.where(t < self.num_train_timesteps, kept, 0.0)


class Velocity(Denoiser):
    """v = sqrt(A) eps - sqrt(B) x_0 for normal data, or one of the other predictions."""

    shape = (2,)
    prediction_type: Any = "v_prediction"
    schedule = Angle()

    def load(self, device: str) -> Any:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        kept = self.schedule.alpha_bar(t)[:, None]
        a, b, total = kept.sqrt(), (1 - kept).sqrt(), kept * VARIANCE + 1 - kept
        x0, eps = a * VARIANCE / total * x, b / total * x
        answers = {"v_prediction": a * eps - b * x0, "epsilon": eps, "sample": x0, "score": -eps / b, "flow": eps - x0}
        return answers[self.prediction_type].to(x)


def model(denoiser: Denoiser) -> DiffusionModel:
    return DiffusionModel(denoiser, denoiser.load("cpu"))


@pytest.mark.parametrize("time", ["sigma", "log_sigma", "c_noise"])
def test_a_network_is_given_what_it_declares(time: str) -> None:
    found, exact = model(Given(time=time)), harness.denoiser("gaussian", variance=VARIANCE, dim=2)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    times = torch.tensor([1.0, 10.0, 100.5, 700.0, 1000.0], dtype=torch.float64)
    assert torch.allclose(found.x0(x, times), exact.x0(x, times), rtol=1e-5, atol=1e-6)
    for t in times.tolist():
        assert torch.allclose(found.eps(x, t), exact.eps(x, t), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("prediction", ["v_prediction", "sample", "flow"])
@pytest.mark.parametrize("eta", [0.0, 1.0, None])
def test_with_zero_terminal_snr_samples_have_the_law_of_the_data(prediction: str, eta: float | None) -> None:
    sampler = harness.component(
        "sampler", "ddpm_vae" if eta is None else "ddim", **({} if eta is None else {"eta": eta})
    )
    found = harness.sample(model(Velocity(prediction_type=prediction)), sampler, steps=200, n=4000)
    assert bool(found.isfinite().all())
    spread = found.double().var(0)
    assert torch.allclose(spread, torch.full_like(spread, VARIANCE), rtol=0.1)


@pytest.mark.parametrize("prediction", ["epsilon", "score"])
def test_a_division_by_what_is_left_of_the_data_names_the_part(prediction: str) -> None:
    with pytest.raises(harness.BenchError, match=rf"angle leaves nothing .* at t = 1000 .*{prediction} does not tell"):
        harness.sample(model(Velocity(prediction_type=prediction)), "ddim", steps=10, n=4)
    below = harness.sample(model(Velocity(prediction_type=prediction)), "ddim", steps=100, n=4, spacing="leading")
    assert bool(below.isfinite().all())


@pytest.mark.parametrize(
    "sampler", ["ddpm", "ddpm_bayes", "dpm_solver_pp", "unipc", "deis", "ddim_ode", "edm_heun", "pndm"]
)
def test_a_sampler_in_the_logarithm_of_the_ratio_says_so_or_works(sampler: str) -> None:
    try:
        found = harness.sample(model(Velocity()), sampler, steps=50, n=2000)
    except harness.BenchError as error:
        assert "divides by A_t, which is 0 at t = 1000" in str(error)
    else:
        assert bool(found.isfinite().all()) and float(found.var()) == pytest.approx(VARIANCE, rel=0.2)
