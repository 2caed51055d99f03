"""Ranks over problems, values behind their means, quality against cost: what is drawn is what was measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.figures import StoredRun, figures
from harness.figures.ranks import cliques
from harness.figures.style import FAINT, styled
from harness.results import Overall, Run, Standing
from harness.statistics.pooled import mean_ranks
from tests.report import factory

MEANS = np.random.default_rng(0).normal(size=(6, 5)).round(1)
"""Means [problems, contenders] with ties."""


def over_problems(means: Sequence[Sequence[float]] = MEANS) -> Run:
    """A run with these means of accuracy."""
    base, rows = factory.result(["accuracy"], count=1), []
    for number, line in enumerate(means):
        for cell, mean in zip(base.cells, line, strict=False):
            ends = {"values": (mean - 1.0, mean + 1.0), "mean": mean, "low": mean - 0.5, "high": mean + 0.5}
            moved = replace(cell, id=f"{cell.id}-{number}", vary={**cell.vary, "dataset": f"p{number}"})
            rows.append(factory.with_metric(moved, "accuracy", **ends))
    names = [f"p{number}" for number in range(len(means))]
    return replace(base, cells=tuple(rows), axes={**base.axes, "dataset": [*names]}, overall=(ranked(means),))


def ranked(means: Sequence[Sequence[float]]) -> Overall:
    """The contenders over all problems, by their ranks."""
    found = mean_ranks(means, True)
    rows = zip(factory.LOSSES, found.means.tolist(), strict=False)
    standings = tuple(Standing(row=name, mean_rank=rank) for name, rank in rows)
    return Overall(
        metric="accuracy", problems=len(means), standings=standings, critical_difference=found.critical_difference
    )


def makers(run: Run) -> dict[str, Figure]:
    with styled():
        found = figures(StoredRun(run, Path("nowhere")))
        return {name: make() for name, make in found.items() if name.split("-")[1] in ("in", "by", "against")}


def said(figure: Figure) -> str:
    return " ".join(figure.get_supxlabel().split())


def test_groups_are_the_largest_of_all_pairs_within_the_distance() -> None:
    ranks = [1.0, 1.4, 2.5, 2.9, 4.5]
    near = [(a, b) for a, b in itertools.combinations(range(5), 2) if ranks[b] - ranks[a] < 1.6]
    largest = [each for each in near if not any(o != each and o[0] <= each[0] and each[1] <= o[1] for o in near)]
    assert cliques(ranks, 1.6) == largest and cliques(ranks, 0.1) == []


def test_the_diagram_has_every_contender_at_its_rank() -> None:
    figure = makers(over_problems())["ranks-in-accuracy"]
    (axes,) = figure.axes
    wanted = mean_ranks(MEANS, True)
    ranks = wanted.means
    dots = sorted(float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o")  # type: ignore[index]
    assert np.allclose(dots, sorted(ranks))
    texts = [" ".join(text.get_text().split()) for text in axes.texts]
    for name, rank in zip(factory.LOSSES, ranks, strict=True):
        assert any(f"{rank:.2f}" in text and name[:10] in text for text in texts), (name, rank)
    assert f"critical difference {wanted.critical_difference:.2f}" in texts
    assert figure.get_suptitle() == "accuracy: mean rank over 6 problems"


@pytest.mark.parametrize(("problems", "contenders"), [(4, 5), (6, 2)])
def test_few_problems_or_contenders_have_no_diagram(problems: int, contenders: int) -> None:
    assert not any(name.startswith("ranks") for name in makers(over_problems(MEANS[:problems, :contenders])))


def test_a_contender_without_a_rank_is_not_drawn_and_said() -> None:
    run = over_problems()
    whole = run.overall[0]
    lost = replace(whole, standings=(replace(whole.standings[0], mean_rank=None), *whole.standings[1:]))
    figure = makers(replace(run, overall=(lost,)))["ranks-in-accuracy"]
    assert f"Not drawn: {whole.standings[0].row}, which lacks a number on a problem" in said(figure)


def test_every_value_is_a_point_behind_its_mean_and_interval() -> None:
    run = over_problems()
    figure = makers(run)["accuracy-by-seed"]
    for place, axes in enumerate(figure.axes):
        cells = [cell for cell in run.cells if cell.vary["dataset"] == f"p{place}"]
        points = [line for line in axes.lines if line.get_marker() == "."]
        assert [tuple(map(float, line.get_xdata())) for line in points] == [  # type: ignore[arg-type]
            cell.metrics["accuracy"].values for cell in cells
        ]
        bars = [group.get_segments()[0] for group in axes.collections]  # type: ignore[attr-defined]
        assert [(bar[0][0], bar[1][0]) for bar in bars] == [
            (cell.metrics["accuracy"].low, cell.metrics["accuracy"].high) for cell in cells
        ]
    assert "A point is the value of a seed" in said(figure)


def points_of(axes: Axes) -> dict[str, tuple[float, float]]:
    return {
        str(each.get_label()): (float(each.lines[0].get_xdata()[0]), float(each.lines[0].get_ydata()[0]))  # type: ignore[index]
        for each in axes.containers
    }


def costing(run: Run, seconds: Sequence[float]) -> Run:
    cells = [replace(cell, seconds=2 * cost) for cell, cost in zip(run.cells, itertools.cycle(seconds), strict=False)]
    return replace(run, cells=tuple(cells))


def test_quality_stands_over_the_seconds_of_a_seed_with_the_front() -> None:
    seconds = (3.0, 1.0, 5.0, 2.0, 4.0)
    figure = makers(costing(over_problems(), seconds))["accuracy-against-cost"]
    for place, axes in enumerate(figure.axes):
        means = MEANS[place]
        assert points_of(axes) == dict(zip(factory.LOSSES, zip(seconds, means, strict=True), strict=True))
        front = [
            (x, y)
            for x, y in zip(seconds, means, strict=True)
            if not any((a, -b) != (x, -y) and a <= x and b >= y for a, b in zip(seconds, means, strict=True))
        ]
        line = next(line for line in axes.lines if line.get_color() == FAINT and line.get_marker() == "None")
        assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == sorted(front)  # type: ignore[arg-type]
        assert axes.get_xlabel() == "seconds for a seed" and "no benchmark" in said(figure)


def test_evaluations_are_the_cost_where_they_differ() -> None:
    run = costing(over_problems(MEANS[:1]), (1.0, 2.0))
    cells = [replace(cell, used={"nfe": 10.0 * (1 + k)}) for k, cell in enumerate(run.cells)]
    figure = makers(replace(run, cells=tuple(cells)))["accuracy-against-cost"]
    assert figure.axes[0].get_xlabel() == "network evaluations for a sample"
    assert [x for x, _ in points_of(figure.axes[0]).values()] == [10.0, 20.0, 30.0, 40.0, 50.0]


def test_hostile_names_are_texts_and_never_formulas() -> None:
    names = ["cross_entropy", "$x^2$", "$\\frac{", "_a_ " * 30, "b\\b", "交叉"]
    run = factory.result(["accuracy"], names, 1)
    for figure in makers(costing(run, (1.0, 2.0, 3.0))).values():
        with styled():
            figure.savefig("/dev/null", format="svg")
        texts = " ".join(text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text")))
        assert "$\\frac{" in texts and "$x^2$" in texts
