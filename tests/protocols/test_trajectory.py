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
from harness.protocols._trajectory import costs
from tests.plugins.sampling import double, even, sampler
from tests.plugins.test_analytic import known, target
from tests.protocols.test_generation import session

LINEAR = harness.component("schedule", "linear")


def cost(c: Any, ready: Any, name: str = "ddpm", by_step: bool = False, **fields: Any) -> Tensor:
    data = ready.draw(64, torch.Generator().manual_seed(0))
    return costs(sampler(name, **fields), ready, c, by_step, data, lambda *_: None)


def short(name: str = "gaussian", **fields: Any) -> Any:
    return harness.denoiser(name, schedule=harness.component("schedule", "su", steps=30), **fields)


def test_a_step_costs_the_log_of_its_variance_over_the_least() -> None:
    ready = short()
    found = cost(lambda x, t, s, eps: 0.01 * t, ready)
    for t, s in ((30, 1), (17, 16), (2, 1)):
        _, _, added, share = sampler("ddpm").transition(ready.schedule, double(t, s))
        assert float(found[t, s]) == pytest.approx(math.log1p(float(share[0] / added[0]) * 0.01 * t), rel=1e-9)
    assert float(found[1, 0]) == 0 and bool(found[2:, 0].isinf().all())
    assert bool(found[torch.ones_like(found).triu().bool()].isinf().all())


def test_an_estimate_for_each_element_counts_by_the_mean_of_the_logarithms() -> None:
    ready = short("gaussian", dim=2)
    c = torch.tensor([0.01, 0.5])
    found = cost(lambda x, t, s, eps: c.expand_as(x), ready)
    matrix = cost(lambda x, t, s, eps: c.diag().expand(len(x), 2, 2), ready)
    _, _, added, share = sampler("ddpm").transition(ready.schedule, double(20, 5))
    expected = float(torch.log1p(share[0] / added[0] * c).mean())
    assert float(found[20, 5]) == pytest.approx(expected, rel=1e-6)
    assert float(matrix[20, 5]) == pytest.approx(expected, rel=1e-6)


def test_an_estimate_that_depends_on_the_step_is_asked_at_several() -> None:
    ready = short()
    found = cost(lambda x, t, s, eps: 0.001 * (1 + s), ready, by_step=True)
    for s in (1, 3, 7, 19):
        _, _, added, share = sampler("ddpm").transition(ready.schedule, double(20, s))
        assert float(found[20, s]) == pytest.approx(math.log1p(float(share[0] / added[0]) * 0.001 * (1 + s)), rel=1e-6)


def test_where_an_estimate_passed_its_bound_it_is_held() -> None:
    """Cut to 0 beyond t = 20, every step from there would be free, and the longest of them taken first."""
    ready = short()

    def cut(x: Tensor, t: float, s: float, eps: Tensor) -> float:
        return 0.02 * t if t <= 20 else 0.0

    found = cost(cut, ready)
    held = cost(lambda x, t, s, eps: 0.02 * min(t, 20), ready)
    torch.testing.assert_close(found, held)
    grid = harness.component("grid", "optimal")
    assert float(grid.times(ready.schedule, 6, found)[1]) > 10


@pytest.mark.parametrize(("name", "fields"), [("ddim", {}), ("unipc", {}), ("iid", {})])
def test_steps_without_a_least_variance_have_no_cost(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Skip, match="no least variance that their cost could be measured by"):
        cost(lambda *_: 0.1, short(), name, **fields)


def test_the_published_optimum_of_a_mixture_is_found() -> None:
    """(1, 75, 116, 165, 1000), for -11.9927, where the even trajectory costs -10.3917: costs log(1 - beta Gamma).

    Ours differ by the same number for all of them, log B_t - log B_s - log A_t + log A_s summed from 1 to T.
    """
    found = cost(lambda x, t, s, eps: known(int(t))[2], target())
    grid = harness.component("grid", "optimal")
    times = grid.times(LINEAR, 5, found)
    assert times.tolist() == [1000, 165, 116, 75, 1, 0]
    first, last = LINEAR.alpha_bar(double(1, 1000)).tolist()
    shift = math.log((1 - last) / (1 - first)) - math.log(last / first)
    for path, total in ((times, -11.9927), (even(5), -10.3917)):
        spent = sum(float(found[int(t), int(s)]) for t, s in pairwise(path.tolist()))
        assert spent - shift == pytest.approx(total, abs=5e-5)


def test_a_session_takes_the_optimal_times_of_its_own_estimate(tmp_path: Path) -> None:
    given = {"denoiser": short("gaussian", variance=0.25).denoiser, "grid": "optimal", "steps": 4}
    for variance, different in (("exact", True), ("beta", True), ("analytic", True)):
        run = session(tmp_path, "ddpm", variance=variance, **given)
        times = run.times.tolist()
        assert times[0] == 30 and times[-2:] == [1, 0] and len(times) == 5
        assert (times != [30, 20, 11, 1, 0]) == different
    with pytest.raises(Skip, match="no least variance"):
        session(tmp_path, "ddim", variance="beta", **given)
