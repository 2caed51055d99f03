"""Controls that leave a metric's floor make it doubtful; controls that sit on it do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from tests.helpers.analysis import analyse

SEEDS = list(range(6))


def run(control: list[float], other: list[float], floor: float | None = 0.0) -> dict[str, Any]:
    def cell(sampler: str, values: list[float]) -> dict[str, Any]:
        about = {"id": sampler, "vary": {"denoiser": "ring", "sampler": sampler}, "status": "ok", "reason": None}
        cost = {"seconds": 1.0, "peak_memory": 1, "seeds": SEEDS[: len(values)], "units": [], "notes": [], "tuned": {}}
        return about | cost | {"metrics": {"distance": values}, "parameters": {"sampler": {"name": sampler}}}

    metric = {"label": "distance", "higher_is_better": False, "unit": None, "ideal": floor}
    about = {"suite": "s", "question": "?", "run": "r", "protocol": "generation", "environment": {}}
    plan = {"baseline": None, "group_by": None, "contenders": ["sampler"], "margin": None, "interval": "seeds"}
    axes = {"denoiser": ["ring"], "sampler": ["iid", "mine"]}
    cells = [cell("iid", control), cell("mine", other)]
    return {**about, **plan, "metrics": [metric], "axes": axes, "cells": cells, "controls": [["sampler", "iid"]]}


def doubted(data: dict[str, Any]) -> list[str]:
    return [line for line in analyse(data)["issues"] if "not to be trusted" in line]


AT_ZERO = [-0.2, 0.1, 0.3, -0.1, 0.05, -0.12]
ABOVE = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]


def test_a_control_off_the_floor_is_told_with_its_numbers() -> None:
    (line,) = doubted(run(ABOVE, ABOVE))
    assert "distance" in line and "control iid has 1" in line and "perfect sampler has 0" in line
    assert "adjusted p < 0.001" in line and stats.ttest_1samp(ABOVE, 0).pvalue < 1e-3


@pytest.mark.parametrize(
    "data",
    [run(AT_ZERO, ABOVE), run(ABOVE, AT_ZERO, floor=None), run(ABOVE, AT_ZERO, floor=1.0), run([1.0], [1.0])],
    ids=["on the floor", "no floor", "another floor", "one seed"],
)
def test_other_rows_and_metrics_are_not_doubted(data: dict[str, Any]) -> None:
    assert not doubted(data)


def test_controls_on_the_floor_are_rarely_doubted() -> None:
    rng = np.random.default_rng(0)
    false = sum(bool(doubted(run(rng.normal(size=6).tolist(), ABOVE))) for _ in range(200))
    assert false <= stats.binom.ppf(0.999, 200, 0.05)
