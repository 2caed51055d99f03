"""Differences from the baseline as drawn: every interval, its verdict, and what is not drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from harness.figures import StoredRun, figures
from harness.figures.forest import TINTS
from harness.figures.style import INK, styled
from harness.results import IntervalKind, Ratio, Run, Status, Verdict
from tests.report import factory


def drawn(run: Run, name: str = "differences-in-accuracy") -> Figure:
    with styled():
        return figures(StoredRun(run, Path("nowhere")))[name]()


def bars(figure: Figure, panel: int) -> dict[str, tuple[float, float, str]]:
    """Label of a line -> the ends of its bar and its color."""
    axes = figure.axes[panel]
    labels = {float(at): label.get_text() for at, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)}
    found: dict[str, tuple[float, float, str]] = {}
    for group in axes.collections:
        assert isinstance(group, LineCollection)
        ((low, height), (high, _)) = group.get_segments()[0]
        found[labels[float(height)]] = (float(low), float(high), to_hex(group.get_color()[0]))  # type: ignore[index]
    return found


def test_every_difference_is_a_bar_with_the_mark_and_color_of_its_verdict() -> None:
    run = factory.result()
    figure = drawn(run)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(factory.PROBLEMS)
    marks = {Verdict.BETTER: " ▲", Verdict.WORSE: " ▼", Verdict.EQUIVALENT: " =", Verdict.UNDECIDED: ""}
    for place, problem in enumerate(factory.PROBLEMS):
        expected = {}
        for cell in run.cells:
            if cell.vary["dataset"] == problem and cell.against:
                found = cell.against["accuracy"]
                assert found.verdict is not None
                color = TINTS.get(found.verdict, INK).lower()
                expected[f"{cell.vary['loss']}{marks[found.verdict]}"] = (found.low, found.high, color)
        assert bars(figure, place) == expected
    assert figure.get_suptitle() == "accuracy: difference from cross_entropy   ↑ higher is better"
    assert "95 % intervals over seeds and test examples" in figure.get_supxlabel()


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
    assert {(low, high) for low, high, _ in bars(figure, 0).values()} == {(ratio.low, ratio.high)}
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
