"""Denoisers that are trained here: what training makes, and how near a known best guess it comes."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from harness import DiffusionModel, Schedule
from harness.discovery.registry import component

PREDICTS = ("epsilon", "sample", "v_prediction")
FIELDS: list[dict[str, Any]] = [
    {"name": "digits"},
    {"name": "digits", "network": "unet"},
    {"name": "patches"},
    {"name": "patches", "network": "unet", "size": 16},
]


class Level(Schedule):
    """The same noise at all times, so that one linear map is best at every one of them."""

    share: float = 0.4

    def alpha_bar(self, t: Tensor) -> Tensor:
        return torch.full_like(t, self.share)


class Linear(nn.Module):
    """An affine map that does not look at the time."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.map = nn.Linear(size, size)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        mapped: Tensor = self.map(x)
        return mapped


def seeded(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def silent(done: float, total: float) -> None:
    """Training may report."""


def training() -> Any:
    """The private module that trains."""
    component("denoiser", "digits")  # what brings the stock plugins in reach
    return importlib.import_module("harness.stock.denoisers._training")


def trained(steps: int, seed: int = 0, **fields: Any) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = component("denoiser", steps_of_training=steps, **fields).train(seeded(seed), silent)
    return weights


def trials(denoiser: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Held-out x_0, noise, times spread over all of them, sqrt A_t and sqrt B_t."""
    x0: Tensor = denoiser.reference_data(None)[:128]
    e = torch.randn(x0.shape, generator=seeded(1))
    t = torch.linspace(5, 1000, len(x0), dtype=torch.float64)
    kept = denoiser.schedule.alpha_bar(t).view(-1, 1, 1, 1).float()
    return x0, e, t, kept.sqrt(), (1 - kept).sqrt()


def error(fields: Mapping[str, Any], steps: int) -> float:
    """Mean squared error of eps on held-out data after so many steps of training."""
    denoiser = component("denoiser", **fields)
    x0, e, t, a, b = trials(denoiser)
    ready = DiffusionModel(denoiser, denoiser.load("cpu", weights=trained(steps, **fields)))
    return float((ready.eps(a * x0 + b * e, t) - e).square().mean())


@pytest.mark.verify
@pytest.mark.parametrize("fields", FIELDS[:3], ids=str)
def test_training_lowers_the_error_below_that_of_a_line(fields: dict[str, Any]) -> None:
    """The line is eps = sqrt(B_t) x_t, the best guess where nothing is known of data but a variance of 1."""
    x0, e, _, a, b = trials(component("denoiser", **fields))
    line = float((b * (a * x0 + b * e) - e).square().mean())
    assert error(fields, 60) < min(line, error(fields, 2))


def test_training_is_the_same_for_the_same_generator_whatever_the_global_one() -> None:
    first = trained(3, name="digits")
    torch.manual_seed(7)
    before = torch.get_rng_state()
    again, other = trained(3, name="digits"), trained(3, seed=1, name="digits")
    assert torch.equal(before, torch.get_rng_state())
    assert first.keys() == again.keys() == other.keys()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_every_step_of_training_is_reported() -> None:
    told: list[tuple[float, float]] = []
    component("denoiser", "digits", steps_of_training=4).train(seeded(), lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_what_is_stored_loads_to_the_network_that_was_trained(fields: dict[str, Any], tmp_path: Any) -> None:
    denoiser = component("denoiser", steps_of_training=1, **fields)
    weights = denoiser.train(seeded(), silent)
    torch.save(weights, tmp_path / "weights.pt")
    x, t = torch.randn(3, *denoiser.shape, generator=seeded()), torch.tensor([0.5, 20.25, 1000.0], dtype=torch.float64)
    state = torch.get_rng_state()
    guesses = []
    for given in (weights, torch.load(tmp_path / "weights.pt", mmap=True, weights_only=True)):
        net = denoiser.load("cpu", weights=given)
        assert {name: w.shape for name, w in net.state_dict().items()} == {n: w.shape for n, w in weights.items()}
        guesses.append(denoiser.predict(net, x, t))
    assert torch.equal(*guesses)
    assert guesses[0].shape == x.shape
    assert guesses[0].dtype == x.dtype
    assert denoiser.predict(net, x.double(), t).dtype == torch.float64
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("fields", FIELDS, ids=str)
def test_samples_do_not_see_one_another_and_times_are_real(fields: dict[str, Any]) -> None:
    denoiser = component("denoiser", **fields)
    net = denoiser.load("cpu", weights=trained(3, **fields))
    x = torch.randn(4, *denoiser.shape, generator=seeded())
    t = torch.tensor([1.0, 1.5, 400.0, 999.0], dtype=torch.float64)
    alone = torch.cat([denoiser.predict(net, x[k : k + 1], t[k : k + 1]) for k in range(4)])
    torch.testing.assert_close(denoiser.predict(net, x, t), alone, atol=1e-6, rtol=1e-4)
    same = x[:1].expand(2, *denoiser.shape)
    assert not torch.equal(*denoiser.predict(net, same, t[:2]))


@pytest.mark.parametrize("prediction_type", PREDICTS)
def test_what_is_learned_is_what_the_harness_takes_it_for(prediction_type: str) -> None:
    """A network that says exactly what it is taught makes x_0 and the noise come out again."""
    x0, e = torch.randn(2, 5, 1, 8, 8, generator=seeded(), dtype=torch.float64)
    t = torch.tensor([1.0, 30.5, 300.0, 700.0, 1000.0], dtype=torch.float64)
    denoiser = component("denoiser", "digits", prediction_type=prediction_type)
    kept = denoiser.schedule.alpha_bar(t).view(-1, 1, 1, 1)
    a, b = kept.sqrt(), (1 - kept).sqrt()
    said = training().TARGETS[prediction_type](x0, e, a, b)

    class Told(type(denoiser)):  # type: ignore[misc]
        """Says what it was told."""

        def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
            return said

    guesses = DiffusionModel(Told(prediction_type=prediction_type, schedule=denoiser.schedule), None).x0_and_eps(
        a * x0 + b * e, t
    )
    torch.testing.assert_close(guesses[0], x0, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(guesses[1], e, rtol=1e-9, atol=1e-9)


def gaussian() -> tuple[Tensor, Tensor]:
    """Mean [3] and covariance [3, 3], correlated."""
    mean = torch.tensor([0.5, -1.0, 0.25], dtype=torch.float64)
    root = torch.tensor([[0.9, 0, 0], [0.6, 0.5, 0], [-0.4, 0.3, 0.2]], dtype=torch.float64)
    return mean, root @ root.T


def best(prediction_type: str, x: Tensor, kept: float) -> Tensor:
    """E[x_0 | x], E[e | x] or the v of both for Gaussian data, by the rule for conditional Gaussians."""
    mean, covariance = gaussian()
    a, b = math.sqrt(kept), math.sqrt(1 - kept)
    whitened = torch.linalg.solve(kept * covariance + (1 - kept) * torch.eye(3), (x - a * mean).T).T
    x0, e = mean + a * whitened @ covariance, b * whitened
    return {"epsilon": e, "sample": x0, "v_prediction": a * e - b * x0}[prediction_type]


@pytest.mark.verify
@pytest.mark.parametrize("prediction_type", PREDICTS)
def test_a_linear_network_on_gaussian_data_becomes_the_exact_denoiser(prediction_type: str) -> None:
    mean, covariance = gaussian()
    root, level = torch.linalg.cholesky(covariance), Level()

    def examples(n: int, generator: Generator) -> Tensor:
        return (mean + torch.randn(n, 3, generator=generator, dtype=torch.float64) @ root.T).float()

    torch.manual_seed(0)
    far = []
    x = math.sqrt(0.4) * examples(4000, seeded(1)) + math.sqrt(0.6) * torch.randn(4000, 3, generator=seeded(2))
    exact = best(prediction_type, x.double(), 0.4)
    for steps in (100, 3000):
        net = training().fit(Linear(3), examples, level, prediction_type, steps, seeded(), silent).requires_grad_(False)
        far.append(float((net(x, torch.zeros(4000)) - exact).square().mean() / exact.square().mean()))
    assert far[1] < min(1e-3, far[0])


@pytest.mark.parametrize("prediction_type", PREDICTS)
@pytest.mark.parametrize("t", [2, 50, 1000])
def test_the_weights_of_the_bound_are_those_of_its_steps(prediction_type: str, t: int) -> None:
    """KL of two normal distributions of variance beta_t, whose means are those of the posterior at both guesses."""
    schedule = component("schedule", "linear")
    now, then = schedule.alpha_bar(torch.tensor([t, t - 1], dtype=torch.float64)).tolist()
    x0, e, off = (torch.randn(64, generator=seeded(k), dtype=torch.float64) for k in range(3))
    a, b = math.sqrt(now), math.sqrt(1 - now)
    beta = 1 - now / then
    x = a * x0 + b * e
    target = training().TARGETS[prediction_type](x0, e, a, b)
    guess = {
        "epsilon": lambda said: (x - b * said) / a,
        "sample": lambda said: said,
        "v_prediction": lambda said: a * x - b * said,
    }[prediction_type](target + off)
    gamma = math.sqrt(then) * beta / (1 - now)
    divergence = (gamma * (guess - x0)).square() / (2 * beta)
    weight = training().bound_weights(schedule, torch.tensor([float(t)]).double(), prediction_type)
    torch.testing.assert_close(weight * off.square(), divergence, rtol=1e-9, atol=1e-12)


def test_trainings_are_numbered_and_the_first_is_the_one_there_was() -> None:
    first, second, weighted = (trained(3, name="digits", **each) for each in ({}, {"run": 1}, {"weighting": "bound"}))
    assert all(torch.equal(first[name], part) for name, part in trained(3, name="digits", run=0).items())
    assert any(not torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], weighted[name]) for name in first)


def test_times_of_a_batch_fill_the_whole_span_evenly() -> None:
    times = training().times
    drawn = times(component("schedule", "linear", num_train_timesteps=50), 8, seeded()).sort().values
    assert drawn.dtype == torch.float64
    assert bool((drawn > 0).all() and (drawn <= 50).all())
    torch.testing.assert_close(drawn.diff(), torch.full((7,), 50 / 8, dtype=torch.float64))
    both = [times(component("schedule", "linear"), 4, generator) for generator in [seeded()] * 2]
    assert not torch.equal(*both)
