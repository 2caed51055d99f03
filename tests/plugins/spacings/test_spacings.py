"""Time grids: the published trajectories, levels by formula, and what every grid keeps to."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import BenchError
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())
WHOLE = ["even", "ddim_uniform", "quadratic", "trailing", "leading"]
REAL = ["karras", "log_snr"]


def schedule(name: str = "linear", **fields: Any) -> Any:
    return REGISTRY.build("schedule", {"name": name, **fields})


def times(name: str, steps: int, T: int = 1000, kind: str = "linear", **fields: Any) -> list[float]:
    grid = REGISTRY.build("spacing", {"name": name, **fields})
    found: list[float] = grid.times(schedule(kind, num_train_timesteps=T), steps).tolist()
    return found


@pytest.mark.verify
@pytest.mark.parametrize("name", WHOLE + REAL)
@pytest.mark.parametrize("kind", ["linear", "cosine", "su", "sigmoid", "edm"])
@given(T=st.integers(21, 1200), share=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_every_grid_goes_down_to_the_data(name: str, kind: str, T: int, share: float) -> None:
    steps = 1 + round(share * (T - 1))
    found = REGISTRY.build("spacing", name).times(schedule(kind, num_train_timesteps=T), steps)
    assert found.dtype == torch.float64 and found[-1] == 0
    assert bool((found.diff() < 0).all()) and 2 <= len(found) <= steps + 1 and found[0] <= T
    if name != "quadratic":
        assert len(found) == steps + 1
    if name in WHOLE:
        assert torch.equal(found, found.round())


@pytest.mark.parametrize("name", [*WHOLE, *REAL, "explicit", "optimal"])
@pytest.mark.parametrize("steps", [0, 51])
def test_a_schedule_has_no_more_steps_than_it_has(name: str, steps: int) -> None:
    grid = REGISTRY.build("spacing", {"name": name} | ({"at": [3, 2]} if name == "explicit" else {}))
    with pytest.raises(BenchError, match=rf"^{name}.*{steps} steps .* 50$"):
        grid.times(schedule(num_train_timesteps=50), steps, torch.zeros(51, 51))


@pytest.mark.parametrize("name", ["even", "trailing", *REAL])
def test_a_single_step_starts_at_the_end(name: str) -> None:
    assert times(name, 1) == [1000, 0] and times(name, 1, T=1, kind="su") == [1, 0]


@pytest.mark.parametrize("name", ["even", "trailing", "leading", "ddim_uniform"])
def test_as_many_steps_as_there_are_visit_every_time(name: str) -> None:
    assert times(name, 1000) == list(range(1000, -1, -1))


def test_even_rounds_halves_to_even() -> None:
    assert times("even", 5) == [1000, 750, 500, 251, 1, 0]  # 500.5 and 250.75


def doubled_distance(found: list[float], top: torch.Tensor, bottom: int) -> torch.Tensor:
    """2 bottom |found - top / bottom|, in whole numbers: `bottom` where it is a half."""
    return 2 * (torch.tensor(found[:-1]).long() * bottom - top).abs()


def test_even_is_as_near_as_whole_times_can_be() -> None:
    for steps in range(2, 1001):
        found, bottom = times("even", steps), steps - 1
        distance = doubled_distance(found, bottom + 999 * torch.arange(bottom, -1, -1), bottom)
        assert bool((distance <= bottom).all())
        if Fraction(999 / bottom) == Fraction(999, bottom):  # another stride is no binary number, nor are its halves
            assert not (torch.tensor(found[:-1])[distance == bottom] % 2).any()


@pytest.mark.parametrize(
    ("kind", "counts"), [("linear", {10: 4, 25: 4, 50: 4, 100: 3}), ("cosine", {10: 5, 25: 5, 50: 4, 100: 4})]
)
def test_known_number_of_pairs_with_more_noise_than_there_is(kind: str, counts: dict[int, int]) -> None:
    for steps, count in counts.items():
        a = schedule(kind).alpha_bar(torch.tensor(times("even", steps, kind=kind), dtype=torch.float64))
        assert int((1 - a[1:] < 1 - a[:-1] / a[1:]).sum()) == count


@pytest.mark.parametrize("steps", [2, 10, 20, 50, 100, 500])
def test_ddim_uniform_is_the_authors_range(steps: int) -> None:
    found = times("ddim_uniform", steps)
    assert found == [1 + t for t in reversed(range(0, 1000, 1000 // steps))] + [0]
    assert found[0] == 1000 - 1000 // steps + 1


@pytest.mark.parametrize("steps", [3, 7, 30, 600])
def test_ddim_uniform_keeps_to_the_number_of_steps(steps: int) -> None:
    stride = 1000 // steps
    everything = [1 + t for t in range(0, 1000, stride)]
    assert len(everything) > steps and times("ddim_uniform", steps) == [*everything[:steps][::-1], 0]


def test_quadratic_merges_what_falls_together() -> None:
    assert len(times("quadratic", 50)) - 1 == 49 and len(times("quadratic", 100)) - 1 == 96


@pytest.mark.parametrize("steps", [5, 10, 20, 50, 100])
def test_quadratic_has_the_squares(steps: int) -> None:
    # 800 k^2 / (K - 1)^2 in whole numbers; no square but the ends is whole for these K.
    exact = {1 + 800 * k * k // (steps - 1) ** 2 for k in range(steps)}
    assert times("quadratic", steps) == [*sorted(exact, reverse=True), 0]


def test_trailing_ends_each_stretch() -> None:
    assert times("trailing", 16)[:3] == [1000, 938, 875]  # 937.5
    for steps in range(1, 1001):
        found = times("trailing", steps)
        distance = doubled_distance(found, 1000 * torch.arange(steps, 0, -1), steps)
        assert bool((distance <= steps).all()) and not (torch.tensor(found[:-1])[distance == steps] % 2).any()


def test_leading_begins_each_stretch() -> None:
    assert times("leading", 4, T=22) == [16, 11, 6, 1, 0]
    assert times("leading", 4, T=22, offset=1) == [17, 12, 7, 2, 0]
    with pytest.raises(BenchError, match="beyond 22"):
        times("leading", 4, T=22, offset=7)


@pytest.mark.parametrize("kind", ["linear", "cosine", "edm"])
@pytest.mark.parametrize("steps", [2, 3, 10, 200])
def test_levels_are_even_in_their_measure(kind: str, steps: int) -> None:
    made = schedule(kind)
    ends = [float(made.sigma(torch.tensor(float(t)))) for t in (1000, 1)]
    for name, there, back in (
        ("log_snr", math.log, math.exp),
        ("karras", lambda s: s ** (1 / 7), lambda s: s**7),
        ("karras(rho=2)", lambda s: s**0.5, lambda s: s**2),
    ):
        fields = {"rho": 2} if "rho" in name else {}
        found = times(name.partition("(")[0], steps, kind=kind, **fields)
        assert found[0] == 1000 and found[-2:] == [1, 0]
        even = numpy.linspace(there(ends[0]), there(ends[1]), steps)
        sigma = made.sigma(torch.tensor(found[:-1], dtype=torch.float64)).numpy()
        numpy.testing.assert_allclose(sigma, [back(s) for s in even], rtol=1e-10)


def test_the_levels_of_edm_lie_at_its_whole_times() -> None:
    found = times("karras", 18, T=18, kind="edm")
    numpy.testing.assert_allclose(found, range(18, -1, -1), rtol=1e-9)


def test_explicit_times_are_taken_as_they_are() -> None:
    assert times("explicit", 3, at=[1000, 12.5, 1]) == [1000, 12.5, 1, 0]
    assert times("explicit", 3, at=[700, 1, 0]) == [700, 1, 0]


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ([5, 5, 1], "5 does not lie below 5"),
        ([1, 2], "2 does not lie below 1"),
        ([5, 0, 0], "0 does not lie below 0"),
        ([], "times above 0"),
        ([0], "times above 0"),
        ([3, -1], "times above 0"),
        ([math.inf, 1], "times above 0"),
        ([1000.5, 1], "beyond 1000"),
        ([4, 3, 2, 1], "4 steps, 3 asked for"),
    ],
)
def test_explicit_times_that_make_no_grid(at: list[float], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        times("explicit", 3, at=at)


@pytest.mark.parametrize(("steps", "value"), [(5, 0.225086), (10, 0.361612), (50, 0.471915)])
def test_known_ends_of_the_probability_flow(steps: int, value: float) -> None:
    """Euler in sqrt(B / A) on N(0, 1/4) from x_T = 1, the linear schedule and the even grid."""
    x, a = 1.0, schedule().alpha_bar(torch.tensor(times("even", steps), dtype=torch.float64)).tolist()
    for now, then in itertools.pairwise(a):
        slope = math.sqrt(1 - now) / (0.25 * now + 1 - now)
        z = x / math.sqrt(now) + (math.sqrt(1 / then - 1) - math.sqrt(1 / now - 1)) * slope * x
        x = z * math.sqrt(then)
    assert x == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("steps", "ddpm", "ddim"), [(10, 0.104222, 0.130763), (1000, 0.246125, 0.248498)])
def test_known_variances_of_gaussian_chains(steps: int, ddpm: float, ddim: float) -> None:
    """The variance that DDPM (beta_tilde) and DDIM give N(0, 1/4), by recursion."""
    a = schedule().alpha_bar(torch.tensor(times("even", steps), dtype=torch.float64)).tolist()
    for eta, value in ((1.0, ddpm), (0.0, ddim)):
        variance = 1.0
        for now, then in itertools.pairwise(a):
            noise = eta**2 * (1 - now / then) * (1 - then) / (1 - now)
            eps = math.sqrt(1 - now) / (0.25 * now + 1 - now)
            x0 = (1 - math.sqrt(1 - now) * eps) / math.sqrt(now)
            factor = math.sqrt(then) * x0 + math.sqrt(max(1 - then - noise, 0)) * eps
            variance = factor**2 * variance + noise
        assert variance == pytest.approx(value, abs=1e-6)
