"""EXACT against normal orthants of scipy, one-dimensional quadrature, closed forms and published end points."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from harness import replace_fields
from harness.discovery.registry import component

FORMS: list[dict[str, Any]] = [
    {},
    {"temperature": 0.3},
    {"aggregate": "meanlog"},
    {"temperature": 0.5, "margin": 1.0},
    {"standardize": True, "margin": 0.5, "temperature": 0.4},
    {"standardize": True, "margin": 2.0, "aggregate": "meanlog"},
]
FORM = pytest.mark.parametrize("fields", FORMS, ids=str)


@functools.cache
def _exact(items: tuple[tuple[str, Any], ...]) -> Any:
    return component("loss", "exact", **dict(items))


def exact(**fields: Any) -> Any:
    return _exact(tuple(fields.items()))


def draw(batch: int = 6, classes: int = 4, scale: float = 2.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=g)


def leads_of(logits: Tensor, target: Tensor, fields: dict[str, Any]) -> list[np.ndarray]:
    """Per example the leads over the other classes in the published order, by numpy."""
    scores = logits.double().numpy()
    if fields.get("standardize"):
        scores = (scores - scores.mean()) / scores.std(ddof=1)
    leads = [row[y] - np.delete(row, y) for row, y in zip(scores, target.tolist(), strict=True)]
    cap = math.inf if fields.get("margin") is None else fields["margin"]
    return [np.minimum(lead, cap) / fields.get("temperature", 1.0) for lead in leads]


def by_quadrature(leads: np.ndarray) -> float:
    """E_z prod_j Phi(z + lead_j), the orthant in one dimension."""
    integrand = lambda z: math.exp(stats.norm.logcdf(z + leads).sum() - z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    parts = [integrate.quad(integrand, z, z + 1, epsabs=1e-14, epsrel=1e-12)[0] for z in range(-9, 12)]
    return math.fsum(parts)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_published_example(dtype: torch.dtype) -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]], dtype=dtype).repeat(4, 1)
    right = torch.tensor([0.7253018479, 0.2222840520, 0.0464487485, 0.0059653516], dtype=dtype)
    error = (exact()(logits, torch.arange(4)) - (1 - right)).abs().max()
    assert error < (1e-10 if dtype == torch.float64 else 3e-7)


@pytest.mark.parametrize("classes", [3, 4])
@pytest.mark.parametrize("fields", [{}, {"margin": 0.5, "temperature": 0.7}], ids=str)
def test_it_is_the_orthant_of_correlated_normal_differences(classes: int, fields: dict[str, Any]) -> None:
    logits, target = draw(5, classes)
    law = stats.multivariate_normal(cov=np.eye(classes - 1) + 1, maxpts=2_000_000, abseps=1e-7, releps=1e-7, seed=0)
    expected = [law.cdf(leads) for leads in leads_of(logits, target, fields)]
    torch.testing.assert_close(1 - exact(**fields)(logits, target), torch.tensor(expected).double(), rtol=0, atol=2e-6)


@pytest.mark.verify
@FORM
@pytest.mark.parametrize("classes", [2, 3, 10, 100])
def test_each_example_equals_one_dimensional_quadrature(fields: dict[str, Any], classes: int) -> None:
    logits, target = draw(4, classes)
    p = torch.tensor([by_quadrature(leads) for leads in leads_of(logits, target, fields)], dtype=torch.float64)
    expected = -p.log() if fields.get("aggregate") == "meanlog" else 1 - p
    torch.testing.assert_close(exact(**fields)(logits, target), expected, rtol=1e-9, atol=1e-12)
    single = exact(**fields)(logits.float(), target)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_two_classes_have_a_closed_form_however_wrong_the_label(dtype: torch.dtype) -> None:
    lead = torch.tensor([-30.0, -10.0, -3.0, 0.0, 2.0, 5.0], dtype=dtype)
    logits, target = torch.stack([lead, torch.zeros_like(lead)], -1), torch.zeros(6, dtype=torch.int64)
    log_p = torch.from_numpy(stats.norm.logcdf(lead.double().numpy() / math.sqrt(2)))
    torch.testing.assert_close(exact(aggregate="meanlog")(logits, target).double(), -log_p, rtol=2e-6, atol=1e-7)
    torch.testing.assert_close(exact()(logits, target).double(), 1 - log_p.exp(), rtol=0, atol=1e-7)


def test_a_label_ten_temperatures_behind_gives_almost_no_gradient() -> None:
    p = stats.norm.cdf(-10 / math.sqrt(2))
    assert p == pytest.approx(7.7e-13, rel=1e-2)  # why the temperature must fall, or be learned
    logits = torch.tensor([[-10.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(exact()(logits, torch.tensor([0])).sum(), logits)
    slope = stats.norm.pdf(-10 / math.sqrt(2)) / math.sqrt(2)
    torch.testing.assert_close(gradient, torch.tensor([[-slope, slope]], dtype=torch.float64), rtol=1e-2, atol=0)


def test_the_margin_floors_the_loss_and_frees_easy_pairs() -> None:
    logits = torch.tensor([[50.0, 1.0, 0.0, 49.5]], dtype=torch.float64, requires_grad=True)
    value = exact(margin=1.0, temperature=0.5)(logits, torch.tensor([0]))
    assert value.item() == pytest.approx(1 - by_quadrature(np.array([2.0, 2.0, 1.0])), abs=1e-12)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert gradient[0, 1] == gradient[0, 2] == 0
    assert gradient[0, 3] > 0 and gradient[0, 0] == -gradient[0, 3]


@FORM
def test_a_constant_changes_nothing(fields: dict[str, Any]) -> None:
    logits, target = draw()
    torch.testing.assert_close(exact(**fields)(logits + 7.5, target), exact(**fields)(logits, target))


def test_standardised_logits_have_no_scale() -> None:
    logits, target = draw()
    loss = exact(standardize=True, margin=1.0, temperature=0.5)
    torch.testing.assert_close(loss(1e-3 * logits + 5, target), loss(logits, target))


@FORM
def test_gradient_equals_finite_differences(fields: dict[str, Any]) -> None:
    logits, target = draw()
    assert torch.autograd.gradcheck(lambda s: exact(**fields)(s, target), logits.requires_grad_())


@pytest.mark.parametrize("field", ["temperature", "margin"])
@FORM
def test_gradient_of_a_learned_field_equals_finite_differences(fields: dict[str, Any], field: str) -> None:
    logits, target = draw()
    logits[:, 1] = torch.where(target == 1, logits[:, 1], -torch.inf)
    start = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: replace_fields(exact(**fields), {(field,): v})(logits, target), start)


@FORM
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_vmap_over_seeds_and_temperatures_equals_a_loop(fields: dict[str, Any], dtype: torch.dtype) -> None:
    runs = [draw(seed=k) for k in range(3)]
    logits, target = torch.stack([s.to(dtype) for s, _ in runs]), torch.stack([y for _, y in runs])

    def mean(s: Tensor, temperature: Tensor, y: Tensor) -> Tensor:
        value: Tensor = replace_fields(exact(**fields), {("temperature",): temperature})(s, y).mean()
        return value

    step = torch.func.grad_and_value(mean, argnums=(0, 1))
    temperatures = torch.tensor([0.2, 0.5, 2.0])
    gradients, values = torch.func.vmap(step)(logits, temperatures, target)
    assert values.dtype == dtype
    for k in range(3):
        expected, value = step(logits[k], temperatures[k], target[k])
        torch.testing.assert_close(values[k], value)
        torch.testing.assert_close(gradients[0][k], expected[0])
        torch.testing.assert_close(gradients[1][k], expected[1])


@FORM
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_masked_class_is_no_class(fields: dict[str, Any], dtype: torch.dtype) -> None:
    logits, target = draw(6, 3)
    kept = logits.to(dtype).requires_grad_()
    wide = torch.cat([kept, torch.full((6, 1), -torch.inf, dtype=dtype)], 1).detach().requires_grad_()
    value, expected = exact(**fields)(wide, target), exact(**fields)(kept, target)
    torch.testing.assert_close(value, expected)
    (gradient,), (without,) = (torch.autograd.grad(v.sum(), s) for v, s in ((value, wide), (expected, kept)))
    torch.testing.assert_close(gradient[:, :3], without)
    assert torch.equal(gradient[:, 3], torch.zeros(6, dtype=dtype))


@FORM
@pytest.mark.parametrize("fill", [-torch.inf, -1e12])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_extreme_logits_and_masks_stay_finite(fields: dict[str, Any], fill: float, dtype: torch.dtype) -> None:
    logits = torch.zeros(3, 5, dtype=dtype)
    logits[0, 0], logits[1, 1] = 1e4, 1e3
    logits[2] -= 1e4
    logits[:, 4] = fill  # -inf in float16 either way
    logits.requires_grad_()
    value = exact(**fields)(logits, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all()


@FORM
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e4])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_equal_logits_give_a_guess_and_a_finite_gradient(
    fields: dict[str, Any], constant: float, dtype: torch.dtype
) -> None:
    logits = torch.full((6, 3), constant, dtype=dtype, requires_grad=True)
    value = exact(**fields)(logits, torch.arange(6) % 3)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    expected = math.log(3) if fields.get("aggregate") == "meanlog" else 2 / 3
    torch.testing.assert_close(value, torch.full_like(value, expected), rtol=1e-5, atol=1e-5)
    assert torch.isfinite(gradient).all() and (gradient.gather(1, torch.arange(6)[:, None] % 3) < 0).all()


@pytest.mark.parametrize("fields", [{}, {"margin": 1.0}, {"aggregate": "meanlog"}], ids=str)
def test_half_precision_agrees_with_double(fields: dict[str, Any]) -> None:
    logits, target = draw(32, 10)
    value = exact(**fields)(logits.half(), target)
    torch.testing.assert_close(value.double(), exact(**fields)(logits.half().double(), target), rtol=1e-5, atol=1e-6)


THREE = (torch.tensor([-0.25, 0.0, 0.25]), torch.tensor([0, 0, 1]))
FIVE = (torch.tensor([-6.0, -5.0, -4.0, 0.0, 2.0]), torch.tensor([0, 1, 1, 0, 1]))


def scored(b: Tensor, x: Tensor) -> Tensor:
    """The logits 0 and x - b."""
    return torch.stack([torch.zeros_like(x), x - b], -1)


def accuracy(b: Tensor, x: Tensor, y: Tensor) -> float:
    return float((scored(b, x).argmax(-1) == y).double().mean())


@pytest.mark.verify
def test_a_learned_temperature_separates_the_three_points_as_published() -> None:
    b, log_sigma = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer, seen = torch.optim.SGD([b, log_sigma], lr=0.01), {}
    for step in range(5001):
        value = replace_fields(exact(), {("temperature",): log_sigma.exp()})(scored(b, THREE[0]), THREE[1]).mean()
        seen[step] = [b.item(), log_sigma.exp().item(), value.item()]
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert seen[1000][:2] == pytest.approx([0.738, 0.438], abs=1e-3)
    assert seen[3000][0] == pytest.approx(0.125, abs=1e-3)
    assert seen[5000] == pytest.approx([0.125, 0.02956, 0.00093], abs=1e-4)
    assert accuracy(b, *THREE) == 1


def minimum(x: Tensor, y: Tensor, sigma: float, grid: Tensor) -> tuple[Tensor, float]:
    """The threshold of the grid with the least mean loss at a fixed temperature, and that loss."""
    logits = scored(grid.repeat_interleave(len(x)), x.double().repeat(len(grid)))
    losses = exact(temperature=sigma)(logits, y.repeat(len(grid))).view(-1, len(x)).mean(1)
    return grid[losses.argmin()], float(losses.min())


@pytest.mark.parametrize(
    ("sigma", "b", "within"),
    [(0.05, 0.1250, 2e-4), (0.1, 0.1283, 2e-4), (0.2, 0.2190, 2e-4), (0.3, 0.4063, 2e-4), (0.5, 1.02, 5e-3)],
)
def test_a_fixed_temperature_separates_the_three_points_only_if_small(sigma: float, b: float, within: float) -> None:
    place, least = minimum(*THREE, sigma, torch.arange(-0.5, 1.5, 1e-4, dtype=torch.float64))
    assert place.item() == pytest.approx(b, abs=within)
    assert least == pytest.approx({0.1: 0.126875, 0.2: 0.241462}.get(sigma, least), abs=1e-6)
    assert accuracy(place, *THREE) == pytest.approx(1 if sigma < 0.25 else 2 / 3)


@pytest.mark.parametrize(("sigma", "best"), [(0.1, 0.8), (0.3, 0.8), (1.0, 0.6)])
def test_a_fixed_temperature_is_best_on_the_five_points_only_if_small(sigma: float, best: float) -> None:
    place, _ = minimum(*FIVE, sigma, torch.arange(-8.0, 4.0, 1e-3, dtype=torch.float64))
    assert accuracy(place, *FIVE) == pytest.approx(best)
    assert sigma == 1 or place.item() == pytest.approx(-5.5, abs=5e-3)


@pytest.mark.verify
def test_a_falling_temperature_finds_the_best_threshold_of_the_five_points() -> None:
    b, norm = torch.zeros((), requires_grad=True), None
    for step in range(1000):
        temperature = torch.tensor(100 * 0.99**step)
        value = replace_fields(exact(), {("temperature",): temperature})(scored(b, FIVE[0]), FIVE[1]).mean()
        (gradient,) = torch.autograd.grad(value, b)
        norm = gradient.abs() if norm is None else 0.9 * norm + 0.1 * gradient.abs()
        b = (b - 0.01 * gradient / norm.clamp(min=0.01)).detach().requires_grad_()
    assert b.item() == pytest.approx(-5.349, abs=2e-3)
    assert accuracy(b, *FIVE) == pytest.approx(0.8)
