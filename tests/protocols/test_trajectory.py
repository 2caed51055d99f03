"""What the steps of a sampler cost by an estimate, and the trajectories that cost least."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import harness
from harness import Skip
from harness.protocols.generation.trajectory import costs
from tests.plugins.sampling import double, even, sampler
from tests.plugins.variances.test_analytic import known, target
from tests.protocols.test_generation import session

LINEAR = harness.component("schedule", "linear")


def cost(c: Any, ready: Any, name: str = "ddpm", depends_on_s: bool = False, draws: int = 64, **fields: Any) -> Tensor:
    data = ready.sample(draws, torch.Generator().manual_seed(0))
    return costs(sampler(name, **fields), ready, c, depends_on_s, data, lambda *_: None)


def short(name: str = "gaussian", **fields: Any) -> Any:
    return harness.denoiser(name, schedule=harness.component("schedule", "su", num_train_timesteps=30), **fields)


def left(ready: Any, t: float) -> float:
    """Var[x_0 | x_t] of standard normal data: B_t."""
    return 1 - float(ready.schedule.alpha_bar(double(t)))


def lost(ready: Any, t: int, s: int, c: float) -> float:
    """Twice the divergence of DDPM's step with c from the exact one's, by the two variances."""
    _, gamma, added, share = (float(part[0]) for part in sampler("ddpm").transition(ready.schedule, double(t, s)))
    right, made = added + gamma**2 * left(ready, t), added + share * c
    return math.log(made / added) + right / made - 1


def test_a_step_costs_what_its_variance_loses() -> None:
    ready = short()
    found = cost(lambda x, t, s, eps: 0.01 * t, ready)
    for t, s in ((30, 1), (17, 16), (2, 1)):
        assert float(found[t, s]) == pytest.approx(lost(ready, t, s, 0.01 * t), rel=1e-7)
    assert float(found[1, 0]) == 0 and bool(found[2:, 0].isinf().all())
    assert bool(found[torch.ones_like(found).triu().bool()].isinf().all())


def test_by_the_best_variance_it_costs_the_log_of_that_over_the_least() -> None:
    ready = short()
    found = cost(lambda x, t, s, eps: left(ready, t), ready)
    for t, s in ((30, 1), (17, 16), (2, 1)):
        _, _, added, share = sampler("ddpm").transition(ready.schedule, double(t, s))
        assert float(found[t, s]) == pytest.approx(math.log1p(float(share[0] / added[0]) * left(ready, t)), rel=1e-7)


def test_an_estimate_for_each_element_counts_by_the_mean_of_what_they_lose() -> None:
    ready = short("gaussian", dim=2)
    c = torch.tensor([0.01, 0.5])
    found = cost(lambda x, t, s, eps: c.expand_as(x), ready)
    matrix = cost(lambda x, t, s, eps: c.diag().expand(len(x), 2, 2), ready)
    expected = sum(lost(ready, 20, 5, float(part)) for part in c) / 2
    assert float(found[20, 5]) == pytest.approx(expected, rel=1e-6)
    assert float(matrix[20, 5]) == pytest.approx(expected, rel=1e-6)


def test_an_estimate_that_depends_on_the_step_is_asked_at_several() -> None:
    ready = short()
    found = cost(lambda x, t, s, eps: 0.001 * (1 + s), ready, depends_on_s=True)
    for s in (1, 3, 7, 19):
        assert float(found[20, s]) == pytest.approx(lost(ready, 20, s, 0.001 * (1 + s)), rel=1e-6)


def test_an_estimate_that_was_cut_makes_no_step_cheap() -> None:
    """Cut to 0 beyond t = 20, by its own account every step from there were free, and the longest taken first."""
    ready = short()
    found = cost(lambda x, t, s, eps: left(ready, t) if t <= 20 else 0.0, ready)
    right = cost(lambda x, t, s, eps: left(ready, t), ready)
    torch.testing.assert_close(found[:21], right[:21])
    assert bool((found[21:, 1:20] > right[21:, 1:20]).all())
    times = harness.component("spacing", "optimal").times(ready.schedule, 6, found)
    assert float(times[1]) >= float(harness.component("spacing", "optimal").times(ready.schedule, 6, right)[1])


def test_the_sum_of_the_costs_is_what_the_metric_says_is_lost() -> None:
    """For a guess that is off, and noise that is wrong: twice `step_kl`, by other draws."""
    ready = harness.denoiser("imperfect", denoiser=short("grid25").denoiser, scale=0.9)
    times = double(30, 21, 12, 5, 1, 0)

    def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> Tensor:
        return 0.3 * eps.square()

    found = cost(covariance, ready, draws=4096)
    given = {"reference": ready.sample(4096, torch.Generator().manual_seed(1)), "model": ready}
    given |= {"sampler": sampler("ddpm"), "covariance": covariance, "times": times, "noise": harness.NoiseSource(2)}
    said = harness.call_with_inputs(harness.component("metric", "step_kl"), **given)
    spent = sum(float(found[int(t), int(s)]) for t, s in pairwise(times.tolist()))
    assert spent == pytest.approx(2 * said, rel=0.03)


@pytest.mark.parametrize(("name", "fields"), [("ddim", {}), ("unipc", {}), ("iid", {})])
def test_steps_without_a_least_variance_have_no_cost(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Skip, match="no least variance that their cost could be measured by"):
        cost(lambda *_: 0.1, short(), name, **fields)


@pytest.mark.verify
def test_the_published_optimum_of_a_mixture_is_found() -> None:
    """(1, 75, 116, 165, 1000), for -11.9927, where the even trajectory costs -10.3917: costs log(1 - beta Gamma).

    Ours are means over draws, and differ from those for all trajectories by the same number, log B_t - log B_s - log A_t
    + log A_s summed from 1 to T. The times found are near the best, and by the exact costs as good.
    """
    ready = target()
    found = cost(lambda x, t, s, eps: known(int(t))[2], ready, draws=4096)
    times = harness.component("spacing", "optimal").times(LINEAR, 5, found)
    first, last = LINEAR.alpha_bar(double(1, 1000)).tolist()
    shift = math.log((1 - last) / (1 - first)) - math.log(last / first)

    def exact(path: Tensor) -> float:
        pairs = list(pairwise(path[:-1].tolist()))
        _, _, added, share = sampler("ddpm").transition(LINEAR, double(*(t for pair in pairs for t in pair)))
        c = double(*(known(int(t))[2] for t, _ in pairs))
        return float(torch.log1p(share[::2] / added[::2] * c).sum()) - shift

    for path, total in ((times, -11.9927), (double(1000, 165, 116, 75, 1, 0), -11.9927), (even(5), -10.3917)):
        spent = sum(float(found[int(t), int(s)]) for t, s in pairwise(path.tolist()))
        assert exact(path) == pytest.approx(total, abs=2e-3 if path is times else 5e-5)
        assert spent - shift == pytest.approx(total, abs=0.1)


def test_a_session_takes_the_optimal_times_of_its_own_estimate(tmp_path: Path) -> None:
    given = {"denoiser": short("gaussian", variance=0.25).denoiser, "spacing": "optimal", "steps": 4}
    for variance, different in (("exact", True), ("beta", True), ("analytic", True)):
        run = session(tmp_path, "ddpm", variance=variance, **given)
        times = run.times.tolist()
        assert times[0] == 30 and times[-2:] == [1, 0] and len(times) == 5
        assert (times != [30, 20, 11, 1, 0]) == different
    with pytest.raises(Skip, match="no least variance"):
        session(tmp_path, "ddim", variance="beta", **given)
