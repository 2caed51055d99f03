"""Schedules and grids against those of diffusers, whose time step i is our time i + 1."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
LINEAR = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}


def linear() -> Any:
    return REGISTRY.build("schedule", "linear")


@pytest.mark.parametrize(
    ("name", "theirs", "tolerance"),
    # Theirs are in float32, where the cosine's last step of 1 - 0.999 keeps fewer digits.
    [("linear", LINEAR, 1e-6), ("cosine", {"beta_schedule": "squaredcos_cap_v2"}, 1e-4)],
)
def test_the_same_noise(name: str, theirs: dict[str, Any], tolerance: float) -> None:
    published = diffusers.DDIMScheduler(num_train_timesteps=1000, **theirs).alphas_cumprod.double()
    ours = REGISTRY.build("schedule", name).alpha_bar(torch.arange(1, 1001))
    torch.testing.assert_close(ours, published, rtol=tolerance, atol=0)


# Trailing of 48 or 61 steps, say, is no oracle: their strides are added up in floating point, halves fall either way
# and 61 steps become 62. Their linspace rounds halves from 0, even ones from 1: numbers of steps without halves.
@pytest.mark.parametrize(
    ("grid", "spacing", "numbers"),
    [
        ("leading", "leading", range(1, 1001)),
        ("trailing", "trailing", [1, 2, 3, 5, 7, 9, 10, 20, 25, 30, 50, 60, 100, 250, 333, 600, 1000]),
        ("even", "linspace", [2, 4, 6, 8, 10, 20, 30, 50, 100, 250, 600, 1000]),
    ],
)
def test_the_same_times(grid: str, spacing: str, numbers: list[int]) -> None:
    scheduler = diffusers.DDIMScheduler(num_train_timesteps=1000, timestep_spacing=spacing, **LINEAR)
    for steps in numbers:
        scheduler.set_timesteps(steps)
        ours = REGISTRY.build("spacing", grid).times(linear(), steps)
        assert ours.tolist() == [*(scheduler.timesteps + 1).tolist(), 0], steps


@pytest.mark.parametrize("offset", [1, 3])
def test_the_same_offset(offset: int) -> None:
    scheduler = diffusers.DDIMScheduler(timestep_spacing="leading", steps_offset=offset, **LINEAR)
    scheduler.set_timesteps(30)
    ours = REGISTRY.build("spacing", {"name": "leading", "offset": offset}).times(linear(), 30)
    assert ours.tolist() == [*(scheduler.timesteps + 1).tolist(), 0]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(("grid", "asked"), [("karras", "use_karras_sigmas"), ("log_snr", "use_exponential_sigmas")])
@pytest.mark.parametrize("steps", [2, 10, 40])
def test_the_same_levels(grid: str, asked: str, steps: int) -> None:
    scheduler = diffusers.EulerDiscreteScheduler(num_train_timesteps=1000, **LINEAR, **{asked: True})
    scheduler.set_timesteps(steps)
    ours = linear().sigma(REGISTRY.build("spacing", grid).times(linear(), steps))
    # Their least level is the root of 1 - 0.9999 in float32: off by up to 2^-25 / 1e-4 / 2.
    numpy.testing.assert_allclose(ours.numpy(), scheduler.sigmas.numpy(), rtol=1.5e-4)
