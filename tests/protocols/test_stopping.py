"""When timing is warm, and when it may stop: by made-up blocks."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from scipy import stats

from harness.kinds.evaluation import StoppingDecision
from harness.protocols.speed.stopping import FIRST, LEAST, StoppingRule, half_width
from harness.results.statements import Issue, IssueKind, StopReason, Weakness

QUIET = {"share": [1.0], "load": [0.5], "mhz": [3000.0], "throttled": [0.0]}


def blocks(times: Sequence[Sequence[float]], **notes: list[float]) -> list[list[dict[str, list[float]]]]:
    return [[{"seconds": [time], **QUIET, **notes} for time in block] for block in times]


def ruled(
    rule: StoppingRule, times: Sequence[Sequence[float]], each: float = 0.01, **notes: list[float]
) -> StoppingDecision:
    """The last decision when blocks come one after the other, `each` seconds apart."""
    decision = StoppingDecision()
    for count in range(1, len(times) + 1):
        decision = rule.should_stop(blocks(times[:count], **notes), count * each)
        if decision.stop:
            break
    return decision


def noisy(spread: float, ratio: float = 1.0) -> Iterator[list[float]]:
    draw = random.Random(0)
    return ([draw.lognormvariate(0, spread), ratio * draw.lognormvariate(0, spread)] for _ in itertools.count())


def test_warm_is_when_all_agree_for_some_blocks() -> None:
    cold = [[3.0, 1.0], [2.0, 1.0], [1.0, 1.5], [1.0, 1.0]]
    steady = [[1.0, 1.01]] * 30
    assert ruled(StoppingRule(0.01, 5.0, 2), cold + steady).warm == 6, "the last of the cold and two more agree"


def test_the_wait_for_agreement_ends_at_a_fifth_of_the_budget() -> None:
    restless = [[1.0, 1.0], [2.0, 1.0]] * 100
    decision = ruled(StoppingRule(0.01, 5.0, 2), restless, each=0.1)
    assert decision.warm == 21 and (decision.stop, decision.bound) == (StopReason.BUDGET, 10.0)


def test_it_stops_when_every_ratio_is_known_well_enough() -> None:
    times = list(itertools.islice(noisy(0.001, 1.3), 200))
    decision = ruled(StoppingRule(0.01, 5.0, 2), times)
    assert (decision.stop, decision.bound, list(decision.issues)) == (StopReason.PRECISE, 0.01, [])


@pytest.mark.verify
def test_noise_takes_more_blocks_up_to_the_budget() -> None:
    counts = {}
    for spread in (0.01, 0.03, 0.3):
        rule, times = StoppingRule(0.01, 5.0, 2), list(itertools.islice(noisy(spread), 2000))
        stopped = next(k for k in range(1, 2000) if rule.should_stop(blocks(times[:k]), k * 0.01).stop)
        counts[spread] = stopped
    assert FIRST <= counts[0.01] < counts[0.03] < counts[0.3] == 1001


def test_slow_calls_get_the_fewest_blocks_that_can_decide() -> None:
    assert ruled(StoppingRule(0.01, 1.0, 2), [[1.0, 1.0]] * 50, each=60.0).stop is not None
    rule = StoppingRule(0.01, 1.0, 2)
    assert [bool(rule.should_stop(blocks([[1.0, 1.0]] * k), 60.0 * k).stop) for k in range(1, 50)].index(True) == LEAST
    assert 400 * 2.0 ** (1 - LEAST) <= 0.05


@pytest.mark.verify
@pytest.mark.parametrize("n", [20, 57])
def test_half_width_is_that_of_a_trimmed_mean(n: int) -> None:
    draw = np.random.default_rng(n)
    found = [half_width(draw.standard_normal(n).tolist()) for _ in range(200)]
    spread = np.std([stats.trim_mean(draw.standard_normal(n), 0.2) for _ in range(4000)])
    assert np.mean(found) == pytest.approx(1.96 * spread, rel=0.1)


@pytest.mark.parametrize(
    ("notes", "names", "value", "bound"),
    [
        ({"share": [0.5]}, [Weakness.CORE_SHARE], 0.5, None),
        ({"load": [7.0]}, [Weakness.LOAD], 7.0, 2),
        ({"throttled": [1.0]}, [Weakness.THROTTLED], None, None),
        ({"mhz": [math.nan]}, [], None, None),
    ],
)
def test_what_makes_times_weak_is_an_issue(
    notes: dict[str, list[float]], names: list[Weakness], value: float | None, bound: float | None
) -> None:
    found = ruled(StoppingRule(0.01, 5.0, 2), [[1.0, 1.0]] * 40, **notes).issues
    assert found == [Issue(IssueKind.WEAK_TIMING, name=name, value=value, bound=bound) for name in names]


def test_a_clock_that_moves_is_an_issue() -> None:
    rule = StoppingRule(0.01, 1.0, 2)
    moving = [[{"seconds": [1.0], **QUIET, "mhz": [1000.0 + 100 * k]}] for k in range(40)]
    decisions = [rule.should_stop(moving[:k], k * 0.1) for k in range(1, 40)]
    assert Weakness.CLOCK in {issue.name for decision in decisions for issue in decision.issues}
