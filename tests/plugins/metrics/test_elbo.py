"""The variational bound against the divergence of two joint normal distributions, and against its own other forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from tests.plugins.estimates import posterior_variance
from tests.plugins.sampling import TwoPoints, double, even, sampler

LINEAR = harness.component("schedule", "linear")
NAMES = ["nelbo", "nelbo_gap", "step_kl"]


def bound(name: str, ready: Any, made: Any, times: Tensor, variance: Any = None, x0: Any = None, **fields: Any) -> Any:
    """The metric on draws of the target, of which there are many."""
    x0 = ready.sample(2000, torch.Generator().manual_seed(1)) if x0 is None else x0
    covariance: Callable[..., Any] | None = None
    if variance:
        fitted = variance.fit(ready, x0, torch.Generator().manual_seed(2)) | {"denoiser": ready}

        def covariance(*args: Any) -> Any:
            return posterior_variance(variance, fitted, *args)

    given = {"reference": x0, "model": ready, "sampler": made, "covariance": covariance, "times": times}
    return harness.call_with_inputs(harness.component("metric", name, **fields), **given, noise=harness.NoiseSource(3))


GRID: Any = harness.components("denoiser")["grid25"]


class Blind(GRID):  # type: ignore[misc]
    """Keeps its posterior to itself."""

    def posterior_covariance(self, net: Any, x: Tensor, t: Tensor) -> None:
        return None


class Matrix(harness.Variance):
    """c = B_t as a number, or as a matrix."""

    matrix: bool = True

    def posterior_variance(self, model: Any, fitted: Any, x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        c = 1 - float(LINEAR.alpha_bar(double(t)))
        return c * torch.eye(x.shape[1]).expand(len(x), -1, -1) if self.matrix else c


def joint(times: Tensor, v: float, c: Callable[[float], float], scale: Callable[[float, float], float]) -> float:
    """KL(q(x_0, x_T1, ..., x_T) || p) on data N(0, v): both are chains of linear steps, so all is one matrix each.

    q is the forward process; p starts in N(0, 1) and steps by `scale` x_t + gamma E[x_0 | x_t] with the variance
    left + gamma^2 c, and to x_0 with the variance of the posterior itself.
    """
    kept = LINEAR.alpha_bar(times).tolist()
    n = len(kept)
    q = torch.zeros(n, n, dtype=torch.float64)
    for i in range(n):
        for j in range(i, n):  # later in the list is earlier in time
            q[i, j] = q[j, i] = math.sqrt(kept[i] / kept[j]) * (kept[j] * v + 1 - kept[j])
    rows = torch.zeros(n, n, dtype=torch.float64)  # x as linear in x_T and the draws of every step
    rows[0, 0] = 1
    for k in range(n - 1):
        now, then = kept[k], kept[k + 1]
        total = now * v + 1 - now
        a = scale(now, then)
        gamma = math.sqrt(then) - a * math.sqrt(now)
        rows[k + 1] = (a + gamma * math.sqrt(now) * v / total) * rows[k]
        if then < 1:
            rows[k + 1, k + 1] = math.sqrt(1 - then - a * a * (1 - now) + gamma**2 * c(now))
        else:
            rows[k + 1, k + 1] = math.sqrt(v * (1 - now) / total)
    p = rows @ rows.T
    trace = torch.linalg.solve(p, q).trace()
    return float(trace - n + torch.logdet(p) - torch.logdet(q)) / 2


def ddpm(now: float, then: float) -> float:
    return math.sqrt(now / then) * (1 - then) / (1 - now)


KNOWN: dict[str | None, Callable[[float], float]] = {
    None: lambda a: 0.0,
    "beta": lambda a: 1 - a,
    "exact": lambda a: 0.25 * (1 - a) / (0.25 * a + 1 - a),
}
"""Cov[x_0 | x_t] as each variance has it for data N(0, 0.25), by A_t."""


@pytest.mark.verify
@pytest.mark.parametrize("steps", [2, 10, 50])
@pytest.mark.parametrize(
    ("name", "fields", "scale"),
    [("ddpm", {}, ddpm), ("ddpm_vae", {}, ddpm), ("ddpm_bayes", {}, ddpm), ("ddim", {"eta": 1.0}, ddpm)],
)
@pytest.mark.parametrize("variance", [None, "beta", "exact"])
def test_on_normal_data_it_is_the_divergence_of_two_joint_distributions(
    name: str, fields: dict[str, Any], scale: Any, variance: str | None, steps: int
) -> None:
    ready, made = harness.denoiser("gaussian", variance=0.25), sampler(name, **fields)
    found = bound("nelbo", ready, made, even(steps), variance and harness.component("variance", variance))
    entropy = math.log(2 * math.pi * math.e * 0.25) / 2
    assert found - entropy == pytest.approx(joint(even(steps), 0.25, KNOWN[variance], scale), rel=1e-5, abs=1e-6)


def test_undoing_the_noise_exactly_leaves_the_start_alone() -> None:
    """From an early time: x_T of data is N(0, A v + B), where sampling starts in N(0, 1)."""
    ready = harness.denoiser("gaussian", variance=4.0, dim=3)
    times, kept = double(400, 250, 40, 1, 0), float(LINEAR.alpha_bar(double(400)))
    given = (ready, sampler("ddpm"), times, harness.component("variance", "exact"))
    total = kept * 4 + 1 - kept
    assert kept > 0.1
    assert bound("nelbo_gap", *given) == pytest.approx((total - 1 - math.log(total)) / 2, abs=5 * 0.004 / 3**0.5)


@pytest.mark.verify
def test_the_more_of_the_posterior_a_variance_tells_the_smaller_the_gap() -> None:
    """A theorem (Bao et al., 2022), for a mean that is exact; on a ring the posterior is correlated."""
    ready = harness.denoiser("ring8")
    forms = [("beta", {}), *(("exact", {"form": each}) for each in ("isotropic", "diagonal", "full"))]
    x0 = ready.sample(2000, torch.Generator().manual_seed(5))
    gaps = []
    for name, fields in forms:
        variance = harness.component("variance", name, **fields)
        gaps.append(bound("nelbo_gap", ready, sampler("ddpm"), even(25), variance, x0))
    assert all(worse > better + 0.02 for worse, better in pairwise(gaps)) and gaps[-1] > 0


@pytest.mark.parametrize("denoiser", ["gaussian", "grid25"])
def test_a_matrix_is_as_good_as_the_number_it_stands_for(denoiser: str) -> None:
    ready, x0 = harness.denoiser(denoiser), None
    found = [bound("nelbo", ready, sampler("ddpm"), even(6), Matrix(matrix=each), x0) for each in (True, False)]
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_the_terms_add_up() -> None:
    ready, times, x0 = harness.denoiser("grid25"), even(10), None
    given = (ready, sampler("ddpm"), times, harness.component("variance", "beta"), x0)
    prior, steps, end = (bound("nelbo", *given, term=term) for term in ("prior", "steps", "end"))
    assert bound("nelbo", *given) == pytest.approx(prior + steps + end, rel=1e-12)
    assert 0 < prior < 1e-4 < steps


@pytest.mark.verify
def test_the_same_bound_with_and_without_the_exact_posterior() -> None:
    """Rao and Blackwell: the posterior in place of the squares of draws changes the noise alone."""
    known = harness.denoiser("grid25")
    ready, made, times = harness.DiffusionModel(Blind(schedule=LINEAR), known.net), sampler("ddpm"), even(10)
    beta, means = harness.component("variance", "beta"), []
    for each in (known, ready):
        values = []
        for seed in range(8):
            x0 = known.sample(2000, torch.Generator().manual_seed(seed))
            values.append(bound("nelbo", each, made, times, beta, x0))
        means.append(torch.tensor(values))
    error = float(means[1].std()) / 8**0.5
    assert float(means[0].std()) < float(means[1].std()) / 2
    assert abs(float(means[0].mean() - means[1].mean())) < 4 * error


@pytest.mark.parametrize(
    ("name", "fields"),
    [("ddim_ode", {"form": "euler"}), ("unipc", {}), ("iid", {}), ("exact_kernel", {})],
)
@pytest.mark.parametrize("metric", NAMES)
def test_nothing_is_said_of_other_samplers(metric: str, name: str, fields: dict[str, Any]) -> None:
    assert bound(metric, harness.denoiser("gaussian"), sampler(name, **fields), even(5)) is None


@pytest.mark.verify
@pytest.mark.parametrize("metric", NAMES)
@pytest.mark.parametrize("variance", [None, "exact"])
def test_the_bound_of_ddim_is_infinite_and_says_so(metric: str, variance: str | None) -> None:
    """Whatever noise it is given: its encoder leaves none."""
    given = (
        harness.denoiser("gaussian"),
        sampler("ddim"),
        even(5),
        variance and harness.component("variance", variance),
    )
    with pytest.raises(harness.Skip, match=r"^infinite: under ddim x_t and x_0 determine x_s"):
        bound(metric, *given)


def test_a_density_nobody_knows_leaves_the_bound_alone() -> None:
    ready, x0 = harness.DiffusionModel(TwoPoints(), None), torch.randn(4, 3)
    assert bound("nelbo_gap", ready, sampler("ddpm"), even(5), None, x0) is None
    assert math.isfinite(bound("nelbo", ready, sampler("ddpm"), even(5), None, x0))


@pytest.mark.parametrize("name", ["beta", "beta_tilde", "exact"])
def test_the_variance_of_every_step_is_that_of_its_formula(name: str) -> None:
    """1 - A_t / A_s, its share B_s / B_t, and on normal data the variance of x_s given x_t by their joint law."""
    v, times = 0.3, torch.tensor([1000.0, 600.0, 250.0, 40.0, 0.0], dtype=torch.float64)
    ready = harness.denoiser("gaussian", dim=2, variance=v)
    form = {"form": "diagonal"} if name == "exact" else {}
    found = bound("reverse_variance", ready, sampler("ddpm"), times, harness.component("variance", name, **form))
    kept = LINEAR.alpha_bar(times).tolist()
    wanted = []
    for a, b in list(pairwise(kept))[:-1]:
        skipped, left = 1 - a / b, (1 - a / b) * (1 - b) / (1 - a)
        joint = (a * v + 1 - a, b * v + 1 - b, (a / b) ** 0.5 * (b * v + 1 - b))
        wanted.append({"beta": skipped, "beta_tilde": left, "exact": joint[1] - joint[2] ** 2 / joint[0]}[name])
    assert float(found) == pytest.approx(sum(wanted) / 3, rel=1e-6)
