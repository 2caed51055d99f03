"""Figures of claims: a point with its interval for every test, by outcome, beside the line between as claimed and not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis import analyse
from harness.figures import StoredRun, figures, png
from harness.results import Run
from tests.helpers.analysis import measured

RNG = np.random.default_rng(3)
LEADS = {"one": 1.0, "two": 0.0, "three": -1.0}


def run(claims: list[dict[str, Any]], leads: dict[str, float] | None = None) -> Run:
    """`b` is behind `a` by these leads, with noise of 0.01."""
    cells = []
    for problem, lead in (LEADS if leads is None else leads).items():
        base = RNG.normal(size=8)
        for name, mean in (("a", 0.0), ("b", lead)):
            values = (base + mean + RNG.normal(size=8) * 0.01).tolist()
            vary = {"dataset": problem, "loss": name}
            cells.append(
                {"id": problem + name, "vary": vary, "status": "ok", "seeds": list(range(8)), "metrics": {"m": values}}
            )
    axes = {"dataset": list(dict.fromkeys(c["vary"]["dataset"] for c in cells)), "loss": ["a", "b"]}
    metrics = [{"label": "m", "higher_is_better": False}]
    return analyse(measured({"metrics": metrics, "axes": axes, "contenders": ["loss"], "interval": "seeds", "claims": claims, "cells": cells}))  # fmt: skip


ORDER = {
    "kind": "expected", "source": "a paper", "form": "order", "metric": "m", "claim": "a is ahead",
    "points": [{"loss": "a"}, {"loss": "b"}],
}  # fmt: skip


def test_every_test_is_a_point_with_its_interval(tmp_path: Path) -> None:
    result = run([ORDER])
    figure = figures(StoredRun(result, tmp_path))["claim-1"]()
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [f"a over b on {name}" for name in LEADS]
    drawn = {}
    for bars in axes.containers:
        (line, _, _) = bars.lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True):
            drawn[int(y)] = (x, bars.get_label())
    tests = result.claims[0].tests
    assert drawn == {place: (test.estimate, str(test.outcome).replace("_", " ")) for place, test in enumerate(tests)}
    assert [label for _, label in (drawn[k] for k in range(3))] == ["holds", "undecided", "fails"]
    assert "Expected (a paper): a is ahead: fails" in " ".join(figure.get_supxlabel().split())


def test_the_line_is_the_bound_and_the_margin_is_shown(tmp_path: Path) -> None:
    claim = {"kind": "ours", "source": "x", "form": "value", "metric": "m", "bound": 0.5, "within": 0.25}
    (axes,) = figures(StoredRun(run([claim]), tmp_path))["claim-1"]().axes
    lines = {
        float(line.get_xdata()[0])
        for line in axes.lines
        if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    }
    assert {0.25, 0.5, 0.75} <= lines


def test_of_many_tests_those_near_the_line_are_shown_and_it_is_a_picture(tmp_path: Path) -> None:
    result = run([ORDER], {f"p{k}": float(k) for k in range(60)})
    make = figures(StoredRun(result, tmp_path))["claim-1"]
    figure = make()
    assert len(figure.axes[0].get_yticklabels()) == 48
    assert "12 more tests are further from the line." in " ".join(figure.get_supxlabel().split())
    assert png(make).startswith(b"\x89PNG")


@pytest.mark.parametrize("claims", [[], [{**ORDER, "where": {"dataset": ["none"]}}]])
def test_without_a_test_there_is_no_figure(claims: list[dict[str, Any]], tmp_path: Path) -> None:
    assert not [name for name in figures(StoredRun(run(claims), tmp_path)) if name.startswith("claim")]
