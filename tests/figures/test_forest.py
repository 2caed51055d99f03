"""Differences from the baseline as drawn: every interval, its verdict, and what is not drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from harness.figures import StoredRun, figures
from harness.figures.forest import LOOKS
from harness.figures.style import styled
from harness.results import IntervalKind, Ratio, Run, Status, Verdict
from tests.report import factory


def drawn(run: Run, name: str = "differences-in-accuracy") -> Figure:
    with styled():
        return figures(StoredRun(run, Path("nowhere")))[name]()


def bars(figure: Figure, panel: int) -> dict[str, tuple[float, float, str, str]]:
    """Label of a line -> the ends of its bar, its color and its marker."""
    labels = dict(enumerate(label.get_text().replace("\n  ", "") for label in figure.axes[0].get_yticklabels()))
    axes = figure.axes[panel]
    found: dict[str, tuple[float, float, str, str]] = {}
    points = {
        float(y[0]): str(line.get_marker()) for line in axes.lines if len(y := np.atleast_1d(line.get_ydata())) == 1
    }
    for group in axes.collections:
        assert isinstance(group, LineCollection)
        ((low, height), (high, _)) = group.get_segments()[0]
        color = to_hex(group.get_color()[0])  # type: ignore[index]
        found[labels[int(height)]] = (float(low), float(high), color, points[float(height)])
    return found


def test_every_difference_is_a_bar_with_the_marker_and_color_of_its_verdict() -> None:
    run = factory.result()
    figure = drawn(run)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(factory.PROBLEMS)
    assert len({marker for marker, _, _ in LOOKS.values()}) == len(LOOKS)  # told apart without color
    for place, problem in enumerate(factory.PROBLEMS):
        expected = {}
        for cell in run.cells:
            if cell.vary["dataset"] == problem and cell.against:
                found = cell.against["accuracy"]
                assert found.verdict is not None
                marker, color, _ = LOOKS[found.verdict]
                expected[str(cell.vary["loss"])] = (found.low, found.high, color.lower(), marker)
        assert {label.replace(" ", ""): bar for label, bar in bars(figure, place).items()} == {
            label.replace(" ", ""): bar for label, bar in expected.items()
        }
    assert figure.get_suptitle() == "accuracy: difference from cross_entropy   ↑ higher is better"
    words = " ".join(figure.get_supxlabel().split())
    assert "95 % intervals over seeds and test examples. ▲ better, ▼ worse, ■ equivalent, ● undecided" in words


def test_rows_without_a_difference_are_named() -> None:
    figure = drawn(factory.lost(factory.result(count=1), 2, Status.CRASHED, "no luck"))
    assert len(bars(figure, 0)) == 3
    assert f"Not drawn: {factory.LONG}, no luck" in " ".join(figure.get_supxlabel().split())


@pytest.mark.parametrize(("ratio", "scale"), [(Ratio(2.0, 1.9, 2.1), "linear"), (Ratio(50.0, 40.0, 60.0), "log")])
def test_ratios_are_drawn_around_1(ratio: Ratio, scale: str) -> None:
    run = factory.with_info(factory.result(["seconds"], count=1), 0, relative_margin=0.02, unit="s")
    timed: Any = {"ratio": ratio, "interval": IntervalKind.SEEDS}
    run = factory.on_rows(run, lambda cell: factory.with_comparison(cell, "seconds", **timed), 1, 2, 3, 4)
    figure = drawn(replace(run, replicates="blocks"), "differences-in-seconds")
    assert {(low, high) for low, high, *_ in bars(figure, 0).values()} == {(ratio.low, ratio.high)}
    assert figure.axes[0].get_xscale() == scale
    assert figure.get_suptitle().startswith("seconds: ratio to cross_entropy")
    assert "intervals over blocks." in figure.get_supxlabel()


@pytest.mark.parametrize("change", [{"against": {}}, None])
def test_nothing_to_compare_is_no_figure(change: Any) -> None:
    same = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": None, "p_holm": None, "verdict": Verdict.IDENTICAL}
    run = factory.on_rows(
        factory.result(["accuracy"], count=1),
        lambda cell: (
            replace(cell, **change)
            if change
            else (factory.with_comparison(cell, "accuracy", **same) if cell.against else cell)
        ),
    )
    assert "differences-in-accuracy" not in figures(StoredRun(run, Path("nowhere")))
