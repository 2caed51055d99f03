"""Noise schedules against products in longer arithmetic, published formulas and known values."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import BenchError
from harness.discovery.registry import Registry, components
from harness.discovery.sources import stock

REGISTRY = Registry(stock())
NAMES = sorted(components("schedule"))


def schedule(name: str, **fields: Any) -> Any:
    return REGISTRY.build("schedule", {"name": name, **fields})


def kept(name: str, t: float, **fields: Any) -> float:
    return float(schedule(name, **fields).alpha_bar(torch.tensor(t)))


def published_betas(name: str, steps: int) -> Any:
    """The betas as their authors wrote them, in extended precision."""
    i = numpy.arange(1, steps + 1, dtype=numpy.longdouble)
    if name == "linear":
        first, last = numpy.longdouble(1e-4) * 1000 / steps, numpy.longdouble(0.02) * 1000 / steps
        return first + (last - first) * (i - 1) / max(steps - 1, 1)
    if name == "su":
        return numpy.longdouble(0.02) * i / steps
    s, pi = numpy.longdouble(0.008), 2 * numpy.arccos(numpy.longdouble(0))
    f = [numpy.cos((u / steps + s) / (1 + s) * pi / 2) ** 2 for u in (i, i - 1)]
    return numpy.minimum(1 - f[0] / f[1], numpy.longdouble(0.999))


@pytest.mark.parametrize("steps", [21, 50, 1000, 4000])
@pytest.mark.parametrize("name", ["linear", "su", "cosine"])
def test_at_whole_times_it_is_the_product(name: str, steps: int) -> None:
    product = numpy.cumprod(1 - published_betas(name, steps)).astype(float)
    found = schedule(name, num_train_timesteps=steps).alpha_bar(torch.arange(1, steps + 1))
    numpy.testing.assert_allclose(found.numpy(), product, rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("name", ["su", "cosine"])
def test_a_handful_of_steps(name: str, steps: int) -> None:
    product = numpy.cumprod(1 - published_betas(name, steps)).astype(float)
    found = schedule(name, num_train_timesteps=steps).alpha_bar(torch.arange(1, steps + 1))
    numpy.testing.assert_allclose(found.numpy(), product, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "t", "value", "last_digit"),
    [
        ("linear", 1, 0.9999, 1e-15),
        ("linear", 100, 0.8970181457, 1e-10),
        ("linear", 400, 0.1951464449, 1e-10),
        ("linear", 500, 0.0785872429, 1e-10),
        ("linear", 1000, 4.0358297654e-5, 1e-15),
        ("cosine", 1, 1 - 4.1284225e-5, 1e-12),
        ("cosine", 500, 0.4938435904, 1e-10),
    ],
)
def test_known_values(name: str, t: float, value: float, last_digit: float) -> None:
    assert kept(name, t) == pytest.approx(value, rel=0, abs=last_digit / 2)


def test_known_values_with_fewer_digits() -> None:
    assert math.sqrt(kept("su", 1000)) == pytest.approx(0.00648203, abs=5e-9)
    assert math.sqrt(kept("linear", 1000)) == pytest.approx(0.00635282, abs=5e-9)
    assert kept("cosine", 1000) == pytest.approx(2.4288e-9, rel=3e-5)
    assert 1 - kept("cosine", 1, num_train_timesteps=4000) == pytest.approx(9.86582e-6, rel=1e-6)
    assert kept("cosine", 4000, num_train_timesteps=4000) == pytest.approx(1.51798e-10, rel=4e-6)


def test_known_values_of_skipped_steps() -> None:
    one, two, s, t = (kept("linear", x) for x in (1, 2, 400, 500))
    beta = 1 - two / one
    assert beta == pytest.approx(1.1991992e-4, rel=1e-7)
    assert beta * (1 - one) / (1 - two) == pytest.approx(5.4531877e-5, rel=1e-7)
    skipped = 1 - t / s
    assert skipped == pytest.approx(0.5972909324, abs=1e-10)
    tilde = skipped * (1 - s) / (1 - t)
    assert tilde == pytest.approx(0.521733313, abs=1e-9)
    x0 = (1 - math.sqrt(1 - t) * 0.3) / math.sqrt(t)
    assert x0 == pytest.approx(2.5399303847, rel=1e-9)
    for noise, mean in ((0.0, 1.3911648638), (tilde, 1.2816511050)):
        assert math.sqrt(s) * x0 + math.sqrt(1 - s - noise) * 0.3 == pytest.approx(mean, rel=1e-9)


def test_clipping_touches_one_step_of_the_cosine() -> None:
    a = schedule("cosine").alpha_bar(torch.arange(1001))
    beta = 1 - a[1:] / a[:-1]
    assert beta[-1] == pytest.approx(0.999, abs=1e-12) and beta[-2] < 0.99


@pytest.mark.parametrize("name", ["linear", "su"])
def test_the_logarithm_is_straight_between_whole_times(name: str) -> None:
    share = torch.linspace(0, 1, 11, dtype=torch.float64)
    whole = schedule(name).alpha_bar(torch.tensor([6.0, 7.0])).tolist()
    expected = [whole[0] ** (1 - u) * whole[1] ** u for u in share.tolist()]
    numpy.testing.assert_allclose(schedule(name).alpha_bar(6 + share).numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize("t", [0.25, 3.5, 499.9, 998.125, 998.999999])
def test_the_cosine_is_the_curve_at_real_times(t: float) -> None:
    def f(u: Any) -> Any:
        return mpmath.cos((u + mpmath.mpf("0.008")) / mpmath.mpf("1.008") * mpmath.pi / 2) ** 2

    with mpmath.workdps(40):
        exact = float(f(mpmath.mpf(t) / 1000) / f(0))
    assert float(schedule("cosine").alpha_bar(torch.tensor(t, dtype=torch.float64))) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("ends", [(-3, 3, 1), (0, 3, 0.7), (-3, 3, 0.1), (-50, 50, 0.1), (2, 2.5, 20)])
@pytest.mark.parametrize("t", [1e-3, 1, 250.5, 999])
def test_the_sigmoid_is_a_rescaled_logistic(t: float, ends: tuple[float, float, float]) -> None:
    start, end, tau = ends
    with mpmath.workdps(500):
        low, at, high = (
            1 / (1 + mpmath.exp(-x / mpmath.mpf(tau)))
            for x in (mpmath.mpf(start), start + (mpmath.mpf(end) - start) * mpmath.mpf(t) / 1000, mpmath.mpf(end))
        )
        exact = float((high - at) / (high - low))
    found = schedule("sigmoid", start=start, end=end, tau=tau).alpha_bar(torch.tensor(t, dtype=torch.float64))
    assert float(found) == pytest.approx(exact, rel=1e-12)


def test_edm_has_the_published_levels() -> None:
    steps, low, high, rho = 18, 0.002, 80.0, 7.0
    i = numpy.arange(steps)  # from the noisiest down, as in equation 5
    published = (high ** (1 / rho) + i / (steps - 1) * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    made, t = schedule("edm", num_train_timesteps=steps), torch.arange(steps, 0, -1)
    numpy.testing.assert_allclose(made.sigma(t).numpy(), published, rtol=1e-13)
    numpy.testing.assert_allclose(made.alpha_bar(t).numpy(), 1 / (1 + published**2), rtol=1e-13)
    assert float(schedule("edm", num_train_timesteps=1).sigma(torch.tensor(1.0))) == pytest.approx(80.0)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), steps=st.integers(21, 3000))
@settings(max_examples=40, deadline=None)
def test_every_schedule_falls_from_one(name: str, steps: int, data: st.DataObject) -> None:
    made = schedule(name, num_train_timesteps=steps)
    times = torch.tensor(sorted(data.draw(st.lists(st.floats(0, steps), min_size=2, max_size=20))), dtype=torch.float64)
    a, sigma = made.alpha_bar(times), made.sigma(times)
    assert a.dtype == sigma.dtype == torch.float64 and float(made.alpha_bar(torch.tensor(0.0))) == 1
    assert bool((a > 0).all()) and bool((a <= 1).all()) and bool(sigma.isfinite().all())
    apart = times.diff() > 1e-6 * steps
    assert bool((a.diff()[apart] < 0).all()) and bool((a.diff() <= 1e-15).all())
    torch.testing.assert_close(1 / (1 + sigma**2), a, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_every_schedule_takes_times_of_any_shape_and_type(name: str) -> None:
    made, t = schedule(name), torch.tensor([[1, 500, 1000], [2, 3, 4]])
    a = made.alpha_bar(t)
    assert a.shape == (2, 3)
    assert torch.equal(made.alpha_bar(t.float()), a) and torch.equal(made.alpha_bar(t.int()), a)
    assert float(made.alpha_bar(500)) == float(a[0, 1]) and made.alpha_bar(torch.tensor(500)).shape == ()


@pytest.mark.parametrize("name", NAMES)
def test_no_schedule_jumps(name: str) -> None:
    made, whole = schedule(name), torch.arange(1, 1000, dtype=torch.float64)
    before, at, after = (made.alpha_bar(whole + d) for d in (-1e-9, 0.0, 1e-9))
    torch.testing.assert_close(before, at, rtol=1e-7, atol=0)
    torch.testing.assert_close(after, at, rtol=1e-7, atol=0)


def test_what_cannot_be_a_schedule_says_so() -> None:
    with pytest.raises(BenchError, match="below 1"):
        schedule("linear", num_train_timesteps=20).alpha_bar(torch.tensor(1.0))
    with pytest.raises(BenchError, match="below"):
        schedule("edm", sigma_min=2.0, sigma_max=1.0)
    with pytest.raises(BenchError, match="below"):
        schedule("sigmoid", start=1.0, end=1.0)
