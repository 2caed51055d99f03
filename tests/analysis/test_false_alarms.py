"""Equal methods are rarely called different: simulated suites of one baseline and four contenders.

All methods have one accuracy in the population. On an example they differ by a logit (standard deviation), a seed draws
whether each is right, and 360 examples are tested: always the same ones, or a new draw from 1,200 at every seed.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from harness.statistics.paired import Sample, difference, holm

TESTED, TABLE, METHODS, LEVEL = 360, 1200, 5, 0.05
SUITES = {5: 400, 8: 400, 32: 250, 100: 120}


def suite(rng: np.random.Generator, seeds: int, split: str, wobble: float) -> list[Sample]:
    """One suite's samples, the baseline first; `wobble` is the spread of a method's logits from seed to seed."""
    rows = TESTED if split == "fixed" else TABLE
    logits = rng.normal(1.5, 2, (rows, 1)) + rng.normal(0, 1, (rows, METHODS))
    ids = np.broadcast_to(np.arange(rows), (seeds, rows))
    if split == "resampled":
        ids = rng.permuted(ids, axis=1)[:, :TESTED]
    samples = []
    for method in logits.T:
        right = rng.logistic(method[ids] + wobble * rng.standard_normal((seeds, 1))) > 0
        samples.append(Sample(right.mean(1), (right, ids)))
    return samples


def verdicts(samples: list[Sample], kind: str) -> list[int]:
    """1 for a contender called better, -1 for worse, 0 for undecided."""
    found = [difference(sample, samples[0], kind) for sample in samples[1:]]
    adjusted = holm([each.p for each in found])
    return [
        int(np.sign(d.difference)) if p is not None and p <= LEVEL else 0 for d, p in zip(found, adjusted, strict=True)
    ]


@functools.cache
def alarms(split: str, seeds: int, wobble: float = 0.0, kind: str = "both") -> NDArray[np.bool_]:
    """[suites, 2]: whether a suite called any contender better, and whether it called any different."""
    rng = np.random.default_rng([seeds, split == "fixed"])
    found = [verdicts(suite(rng, seeds, split, wobble), kind) for _ in range(SUITES[seeds])]
    return np.array([(1 in each, any(each)) for each in found])


def too_many(alarm: NDArray[np.bool_]) -> bool:
    """Whether the share is above the level by more than chance explains (one-sided binomial test at 1 %)."""
    return bool(stats.binomtest(int(alarm.sum()), len(alarm), LEVEL, alternative="greater").pvalue < 0.01)


@pytest.mark.verify
@pytest.mark.parametrize("seeds", SUITES)
@pytest.mark.parametrize("split", ["fixed", "resampled"])
def test_suites_of_equal_methods_with_a_false_verdict_stay_within_the_level(split: str, seeds: int) -> None:
    better, different = alarms(split, seeds).T
    assert better.mean() <= LEVEL
    assert not too_many(different)


@pytest.mark.parametrize("split", ["fixed", "resampled"])
def test_so_they_do_when_training_itself_is_noisy(split: str) -> None:
    better, different = alarms(split, 8, wobble=0.5).T
    assert better.mean() <= LEVEL
    assert not too_many(different)


@pytest.mark.verify
def test_all_suites_together_stay_within_the_level() -> None:
    every = np.concatenate([alarms(split, seeds) for split in ("fixed", "resampled") for seeds in SUITES])
    assert every[:, 1].mean() <= LEVEL
    assert every[:, 1].any()  # a test that can never alarm would pass all of the above


@pytest.mark.verify
@pytest.mark.parametrize("seeds", [8, 32, 100])
def test_seeds_alone_raise_false_alarms_on_a_fixed_test_set(seeds: int) -> None:
    """Why `both` is the default: these alarms are too many even for the same suites."""
    assert too_many(alarms("fixed", seeds, kind="seeds")[:, 1])


@pytest.mark.verify
def test_more_seeds_make_seeds_alone_worse() -> None:
    rates = [alarms("fixed", seeds, kind="seeds")[:, 1].mean() for seeds in (8, 32, 100)]
    assert rates == sorted(rates) and rates[-1] > 0.5


def test_a_real_difference_is_still_found() -> None:
    """A method that is right 12 points more often is called better in most suites: caution leaves power."""
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(40):
        samples = suite(rng, 8, "fixed", 0.0)
        assert samples[1].units is not None
        right, ids = (np.array(part) for part in samples[1].units)
        right |= rng.random((1, TESTED)) < 0.4
        found += verdicts([samples[0], Sample(right.mean(1), (right, ids)), *samples[2:]], "both")[0] == 1
    assert found >= 30
