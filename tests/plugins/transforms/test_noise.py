"""The noise transforms against closed forms, other integrations and their own un-normalized mass."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from scipy.special import logsumexp

import harness

NOISES: dict[str, Any] = {
    "gaussian": stats.norm,
    "logistic": stats.logistic,
    "student_t": stats.t(3),
    "cauchy": stats.cauchy,
    "laplace": stats.laplace,
    "uniform": stats.uniform,
}
ALLOWED = {"uniform": 1e-8}


def build(name: str, **fields: Any) -> Any:
    return harness.component("transform", name, **fields)


def of_two(name: str, d: np.ndarray) -> np.ndarray:
    """P(the better of two classes d apart wins), in closed form."""
    return {
        "gaussian": lambda: special.ndtr(d / math.sqrt(2)),
        "logistic": lambda: (-np.expm1(-d) - d * np.exp(-d)) / np.expm1(-d) ** 2,
        "cauchy": lambda: 0.5 + np.arctan(d / 2) / math.pi,
        "laplace": lambda: 1 - np.exp(-d) * (2 + d) / 4,
        "uniform": lambda: np.where(d < 1, 1 - (1 - np.minimum(d, 1)) ** 2 / 2, 1.0),
    }[name]()


def by_quad(name: str, mu: np.ndarray, i: int) -> float:
    """int f(x - mu_i) prod_{j != i} F(x - mu_j) dx by scipy's adaptive integration, split at every logit."""
    noise = NOISES[name]

    def integrand(x: float) -> float:
        return float(noise.pdf(x - mu[i]) * np.prod(noise.cdf(x - np.delete(mu, i))))

    ends = sorted({-np.inf, np.inf, *mu.tolist(), *(mu + 1).tolist(), mu.max() + 5, mu.max() - 5, mu.min() - 5})
    pieces = [
        integrate.quad(integrand, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for a, b in itertools.pairwise(ends)
    ]
    return sum(pieces)


def dense(name: str, mu: np.ndarray) -> np.ndarray:
    """log p by Gauss-Legendre with 16 points on each of very many panels around the logits and their kinks."""
    noise, top = NOISES[name], np.sort(mu)[::-1][:20]
    if name in ("cauchy", "student_t"):
        around = np.sinh(np.arange(-50, 50, 1.0))
        ends = np.concatenate([around + mu.max(), *(t + around[abs(around) < np.ptp(mu) + 10] for t in top)])
    elif name == "uniform":
        ends = np.concatenate([np.linspace(0, 1, 200) + mu.max(), 1 + mu])
        ends = ends[(ends >= mu.max()) & (ends <= mu.max() + 1)]
    else:
        ends = np.concatenate([np.arange(mu.min() - 40, mu.max() + 45, 0.6), np.sort(mu)[::-1][:45]])
    node, weight = np.polynomial.legendre.leggauss(16)
    ends = np.unique(ends)
    half = np.diff(ends)[:, None] / 2
    x, log_w = (ends[:-1, None] + half * (1 + node)).ravel(), np.log(half * weight).ravel()
    blocks = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for part in np.array_split(np.arange(len(x)), max(1, len(x) * len(mu) // 1_000_000)):
            z = x[part, None] - mu
            log_cdf = noise.logcdf(z)
            log_h = np.where(log_cdf > -np.inf, noise.logpdf(z) - log_cdf, -np.inf)
            terms = np.nan_to_num(log_h + (log_cdf.sum(1) + log_w[part])[:, None], nan=-np.inf, neginf=-np.inf)
            blocks.append(logsumexp(terms, axis=0))
    return np.asarray(logsumexp(np.array(blocks), axis=0))


def inputs(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    return {
        "ties": np.zeros(n),
        "close": rng.standard_normal(n),
        "spread": 2 * rng.standard_normal(n),
        "far": 10 * rng.standard_normal(n),
        "one ahead": np.where(np.arange(n) == 0, 3.0, 0.0),
        "two heaps": np.where(np.arange(n) % 2 == 0, 0.0, -7.0),
        "ladder": -10.0 * np.arange(n),
    }


@pytest.mark.parametrize("name", ["gaussian", "logistic", "cauchy", "laplace", "uniform"])
def test_two_classes_have_a_closed_form(name: str) -> None:
    d = np.array([0.1, 0.4, 1.0, 1.5, 3.0, 7.0, 20.0, 300.0])
    logits = torch.stack([torch.from_numpy(d), torch.zeros(len(d), dtype=torch.float64)], 1)
    assert np.abs(build(name)(logits)[:, 0].numpy() - of_two(name, d)).max() < 1e-10


def mp_behind(name: str, d: float) -> float:
    """log P(the class d behind wins), with 60 digits."""
    with mpmath.workdps(60):
        u = mpmath.mpf(d)
        q = {
            "gaussian": lambda: mpmath.erfc(u / 2) / 2,
            "logistic": lambda: mpmath.exp(-u) * (u - 1 + mpmath.exp(-u)) / (1 - mpmath.exp(-u)) ** 2,
            "cauchy": lambda: mpmath.mpf(1) / 2 - mpmath.atan(u / 2) / mpmath.pi,
            "laplace": lambda: mpmath.exp(-u) * (2 + u) / 4,
            "uniform": lambda: (1 - u) ** 2 / 2,
            "reverse_gumbel": lambda: 1 / (1 + mpmath.exp(u)),
        }[name]()
        return float(mpmath.log(q))


@pytest.mark.parametrize("name", ["gaussian", "logistic", "cauchy", "laplace", "uniform", "reverse_gumbel"])
def test_the_worse_of_two_classes_has_a_relatively_exact_logarithm(name: str) -> None:
    gaps = [1e-9, 1e-4, 0.09, 0.11, 0.5, 0.99] + ([] if name == "uniform" else [1.0, 9.0, 80.0, 5e3])
    logits = torch.tensor([[0.0, -d] for d in gaps], dtype=torch.float64)
    expected = [mp_behind(name, d) for d in gaps]
    np.testing.assert_allclose(build(name).log(logits)[:, 1].numpy(), expected, rtol=3e-14)
    single = torch.tensor([[0.0, -d] for d in gaps])
    exact = [mp_behind(name, -float(d)) for d in single[:, 1]]
    np.testing.assert_allclose(build(name).log(single)[:, 1].numpy(), exact, rtol=3e-7)


@pytest.mark.parametrize("name", ["gaussian", "logistic", "cauchy", "laplace", "reverse_gumbel"])
@pytest.mark.parametrize("relative", [False, True])
def test_two_classes_are_differentiable_twice_and_masks_stay_out(name: str, relative: bool) -> None:
    transform = build(name)
    function = transform.log if relative else transform
    logits = torch.tensor([[0.3, 0.3], [2.0, -1.0], [-0.5, 0.02]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, logits)
    apart = logits.detach()[1:].requires_grad_()
    assert torch.autograd.gradgradcheck(function, apart)
    masked = torch.tensor([[0.0, -torch.inf], [-torch.inf, 7.0], [-torch.inf, -torch.inf], [torch.nan, 0.0]])
    masked.requires_grad_()
    p = function(masked)
    assert torch.equal(p[:2].exp() if relative else p[:2], torch.eye(2))
    assert bool(p[2:].isnan().all())
    (gradient,) = torch.autograd.grad(p[:2].exp().sum(), masked)
    assert torch.equal(gradient, torch.zeros(4, 2))


@pytest.mark.parametrize(
    ("name", "logits", "p"),
    [
        ("gaussian", [1.5, 0.0], [0.8555778168]),
        ("gaussian", [1.0, 0.0, -1.0], [0.72875102, 0.22409830, 0.04715068]),
        ("gaussian", [2.0, 1.0, 0.0, -1.0], [0.7253018479, 0.2222840520, 0.0464487485, 0.0059653516]),
        ("uniform", [0.4, 0.0], [0.82, 0.18]),
        ("uniform", [1.0, 0.0, -1.0], [1.0, 0.0, 0.0]),
        ("logistic", [1.5, 0.0], [0.73265]),
    ],
)
def test_known_answers(name: str, logits: list[float], p: list[float]) -> None:
    found = build(name)(torch.tensor(logits, dtype=torch.float64))
    assert torch.allclose(
        found[: len(p)], torch.tensor(p, dtype=torch.float64), rtol=0, atol=2e-5 if name == "logistic" else 6e-9
    )


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("n", [3])
def test_agrees_with_adaptive_integration(name: str, n: int) -> None:
    mu = np.random.default_rng(n).standard_normal(n)
    expected = [by_quad(name, mu, i) for i in range(n)]
    assert np.abs(build(name)(torch.from_numpy(mu)).numpy() - expected).max() < 1e-10


@pytest.mark.verify
@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("n", [2, 40])
def test_agrees_with_dense_quadrature_on_hard_inputs(name: str, n: int) -> None:
    for kind, mu in inputs(n).items():
        logits, log_p = torch.from_numpy(mu), dense(name, mu)
        assert abs(np.exp(log_p).sum() - 1) < 1e-12, "the reference"
        error = np.abs(build(name)(logits).numpy() - np.exp(log_p)).max()
        assert error < ALLOWED.get(name, 1e-10), f"{kind}: {error}"
        rounded = logits.float()
        single = build(name)(rounded).double() - build(name)(rounded.double())
        assert single.abs().max() < 2e-6, kind
        seen = (log_p > -200) & (log_p > -np.inf)
        assert np.abs(build(name).log(logits).numpy()[seen] - log_p[seen]).max() < 1e-8, kind


@pytest.mark.verify
@pytest.mark.parametrize("name", ["gaussian", "cauchy", "laplace", "uniform"])
def test_agrees_with_dense_quadrature_for_a_thousand_classes(name: str) -> None:
    for kind in ("close", "one ahead"):
        mu = inputs(1000)[kind]
        error = np.abs(build(name)(torch.from_numpy(mu)).numpy() - np.exp(dense(name, mu))).max()
        assert error < ALLOWED.get(name, 1e-10), f"{kind}: {error}"


@pytest.mark.verify
@pytest.mark.parametrize("name", ["cauchy", "student_t"])
@pytest.mark.parametrize("lead", [5.0, 12.0, 30.0, 300.0])
def test_many_equal_classes_below_the_best_under_heavy_tails(name: str, lead: float) -> None:
    mu = np.where(np.arange(100) == 50, 0.0, -lead)
    exact = np.exp(dense(name, mu))
    assert np.abs(build(name)(torch.from_numpy(mu)).numpy() - exact).max() < 1e-10
    assert np.abs(build(name)(torch.from_numpy(mu).float()).numpy() - exact).max() < 2e-6


@pytest.mark.parametrize("name", NOISES)
def test_the_mass_is_near_one_but_not_made_so(name: str) -> None:
    logits = torch.randn(6, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mass = build(name).mass(logits)
    assert mass.shape == (6, 1) and (mass - 1).abs().max() < 1e-7
    single = build(name).mass(logits.float())
    assert (single - 1).abs().max() < 1e-3
    assert ((mass - 1).abs().max() > 0) | ((single - 1).abs().max() > 0)


def test_the_published_rule_has_the_published_error() -> None:
    logits = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    exact = torch.tensor([0.72875102, 0.22409830, 0.04715068], dtype=torch.float64)
    for count, error, missing in ((10, 0.0213, -0.0209), (100, 0.0035, -0.0039), (1000, 4.2e-4, -4.7e-4)):
        rule = build("gaussian", rule="published", nodes=count)
        mass = rule.mass(logits)
        assert abs(float(mass) - 1 - missing) < 0.02 * abs(missing)
        assert abs(float((rule(logits) * mass - exact).abs().max()) - error) < 0.02 * error
        assert abs(float(rule(logits).sum()) - 1) < 1e-12


def test_a_class_ten_below_keeps_its_logarithm_and_its_gradient() -> None:
    logits = torch.tensor([10.0, 0.0], dtype=torch.float64, requires_grad=True)
    log_p = build("gaussian").log(logits)[1]
    d = 10 / math.sqrt(2)
    assert abs(log_p.item() / special.log_ndtr(-d) - 1) < 1e-11
    (gradient,) = torch.autograd.grad(log_p, logits)
    slope = math.exp(-d * d / 2 - 0.5 * math.log(2 * math.pi) - special.log_ndtr(-d)) / math.sqrt(2)
    assert torch.allclose(gradient, torch.tensor([-slope, slope], dtype=torch.float64), rtol=1e-9)


@pytest.mark.parametrize("name", ["gaussian", "logistic", "laplace"])
def test_float32_logarithms_keep_their_relative_accuracy(name: str) -> None:
    logits = torch.tensor([[0.0, -5.0, -10.0, -20.0], [0.0, 0.0, 0.0, -35.0]])
    expected = build(name).log(logits.double())
    assert torch.allclose(build(name).log(logits).double(), expected, rtol=1e-6, atol=1e-6)
    assert torch.allclose(slope(name, logits).double(), slope(name, logits.double()), rtol=1e-4, atol=1e-5)


def slope(name: str, logits: torch.Tensor) -> torch.Tensor:
    leaf = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(build(name).log(leaf)[:, -1].sum(), leaf)
    return gradient


@pytest.mark.parametrize("df", [0.5, 1.0, 2.0, 2.5, 3.0, 30.0])
def test_any_degrees_of_freedom(df: float) -> None:
    noise = stats.t(df)
    value = integrate.quad(
        lambda s: noise.pdf(math.tan(s)) * noise.cdf(math.tan(s) + 1.2) / math.cos(s) ** 2,
        -math.pi / 2,
        math.pi / 2,
        epsabs=1e-13,
        limit=500,
    )[0]
    p = build("student_t", df=df)(torch.tensor([1.2, 0.0], dtype=torch.float64))
    assert abs(float(p[0]) - value) < 1e-9


@pytest.mark.parametrize("df", [0.5, 1.0, 2.5, 3.0, 30.0, 100.0])
def test_the_tail_keeps_its_relative_accuracy(df: float) -> None:
    z = [-1e6, -100.0, -7.0, -2.0, -0.3, 0.4, 3.0]
    with mpmath.workdps(40):
        halves = [mpmath.betainc(df / 2, 0.5, 0, df / (df + x * x), regularized=True) / 2 for x in map(mpmath.mpf, z)]
        expected = [float(mpmath.log(p if x < 0 else 1 - p)) for p, x in zip(halves, z, strict=True)]
    log_cdf = build("student_t", df=df).law().log_cdf(torch.tensor(z, dtype=torch.float64))
    assert log_cdf.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_degrees_of_freedom_out_of_range_or_learned_are_refused() -> None:
    for transform in (
        build("student_t", df=0.1),
        harness.replace_fields(build("student_t"), {("df",): torch.tensor(3.0)}),
    ):
        with pytest.raises(harness.BenchError, match=r"student_t\.df"):
            transform(torch.zeros(2))


@pytest.mark.parametrize(
    ("noise", "parameters", "same"),
    [
        ("Gumbel", None, ("softmax", {})),
        ("Normal", {"loc": 3.0, "scale": 2.0}, ("gaussian", {"scale": 2.0})),
        ("Uniform", {"low": -1.0, "high": 1.0}, ("uniform", {"width": 2.0})),
        ("Exponential", {"rate": 1.0}, ("exponential", {})),
    ],
)
def test_any_distribution_of_torch(noise: str, parameters: Any, same: tuple[str, dict[str, float]]) -> None:
    logits = torch.randn(2, 5, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    transform = build("noise_argmax", noise=noise, parameters=parameters)
    assert (transform(logits) - build(same[0], **same[1])(logits)).abs().max() < 1e-9
    assert 0 < (transform.mass(logits) - 1).abs().max() < 1e-9


def test_what_is_no_distribution_is_refused() -> None:
    for noise in ("NoSuchNoise", "Beta"):
        with pytest.raises(harness.BenchError, match="noise_argmax"):
            build("noise_argmax", noise=noise)(torch.zeros(2))
