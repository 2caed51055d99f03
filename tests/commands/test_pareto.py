"""Quality against speed: who is on the front, who is matched with whom. Made-up results; the figure is really drawn."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.commands.pareto import pareto
from harness.errors import BenchError
from harness.figures import write
from harness.report import render
from harness.report.answer import answer, statements
from harness.results import IntervalKind, MetricInfo, MetricValue, Row, Run

QUALITY, SPEED = (
    MetricInfo(label="accuracy", higher_is_better=True),
    MetricInfo(label="seconds", higher_is_better=False, unit="s"),
)


def result(metric: MetricInfo, means: dict[str, float], half: float, **axis: list[Any]) -> Run:
    """A run of losses on the points of one more axis."""
    ((name, points),) = axis.items()
    about: dict[str, Any] = {"higher_is_better": metric.higher_is_better, "unit": metric.unit}
    rows = [
        Row(
            id=f"{loss}{point}",
            vary={"loss": loss, name: point},
            parameters={"loss": {"name": loss}},
            seeds=(0,),
            metrics={
                metric.label: MetricValue(
                    values=(mean,),
                    mean=mean,
                    low=mean - half,
                    high=mean + half,
                    interval=IntervalKind.SEEDS,
                    **about,
                )
            },
        )
        for point in points
        for loss, mean in means.items()
    ]
    return Run(
        suite=metric.label,
        question="?",
        run=f"run-{metric.label}",
        protocol=metric.label,
        interval="seeds",
        metrics=(metric,),
        axes={"loss": [*means], name: points},
        contenders=("loss",),
        cells=tuple(rows),
    )


ACCURACY = {"good": 0.9, "middle": 0.8, "near": 0.795, "bad": 0.5, "lost": 0.7}
TIME = {"good": 3.0, "middle": 2.0, "near": 2.0, "bad": 2.5, "other": 1.0}


@pytest.fixture
def joined() -> Run:
    return pareto(result(QUALITY, ACCURACY, 0.01, dataset=["digits", "wine"]), result(SPEED, TIME, 0.1, n=[10]))


def test_every_contender_of_both_is_there_on_every_pair_of_problems(joined: Run) -> None:
    places = [(cell.vary["loss"], cell.vary["dataset"], cell.vary["n"]) for cell in joined.cells]
    assert sorted(places) == sorted(itertools.product(["good", "middle", "near", "bad"], ["digits", "wine"], [10]))


def test_what_both_results_have_is_the_same_in_both() -> None:
    """Networks that are parts of both, and numbers of steps: a time stands beside the quality of its own."""
    both = [result(metric, {"good": 1.0}, 0.1, steps=[10, 20]) for metric in (QUALITY, SPEED)]
    quality, speed = (
        replace(
            run,
            axes={**run.axes, "denoiser": ["a", "b"]},
            cells=tuple(
                replace(
                    cell,
                    vary={**cell.vary, "denoiser": name},
                    parameters={**cell.parameters, "denoiser": {"name": name}},
                )
                for cell in run.cells
                for name in "ab"
            ),
        )
        for run in both
    )
    found = [(cell.vary["denoiser"], cell.vary["steps"]) for cell in pareto(quality, speed).cells]
    assert sorted(found) == [("a", 10), ("a", 20), ("b", 10), ("b", 20)]


def test_the_best_are_those_no_other_beats_in_both(joined: Run) -> None:
    ranks = {cell.vary["loss"]: cell.best["accuracy"] for cell in joined.cells}
    assert ranks == {"good": "best", "middle": "best", "near": "tied", "bad": "beaten"}
    assert answer(joined) == "Not beaten in both somewhere: good, middle."
    assert {each.row: each.kind for each in statements(joined)} == {loss: rank.value for loss, rank in ranks.items()}


def test_it_reads_as_a_table_and_a_figure(joined: Run, tmp_path: Path) -> None:
    text = render(joined, "console")
    assert "accuracy ↑" in text and "seconds" in text and "★ 0.900" in text
    assert next(write(joined, tmp_path, tmp_path)).endswith("accuracy-against-seconds.png, .svg, .pdf")
    assert (tmp_path / "accuracy-against-seconds.png").stat().st_size > 5000


def test_runs_without_a_common_contender_are_a_line() -> None:
    with pytest.raises(BenchError, match="no contender is measured in both run-accuracy and run-seconds"):
        pareto(result(QUALITY, {"one": 1.0}, 0.1, dataset=["digits"]), result(SPEED, {"other": 1.0}, 0.1, n=[1]))


def fixed(run: Run, **settings: Any) -> Run:
    """The run with settings that all its rows have, beside those that vary."""
    return replace(run, cells=tuple(replace(row, settings={**settings, **row.settings}) for row in run.cells))


SPEED_AT_25 = fixed(result(SPEED, {"good": 1.0}, 0.1, n=[1]), steps=25, batch=256)


def test_a_fixed_setting_joins_with_the_same_value_of_a_varied_one() -> None:
    quality = fixed(result(QUALITY, {"good": 0.9}, 0.1, steps=[10, 25, 50, 100]), batch=2048)
    joined = pareto(quality, SPEED_AT_25)
    assert [row.vary["steps"] for row in joined.cells] == [25]
    text = " ".join(render(joined, "console").split())
    assert (
        "without a partner in run-seconds, of run-accuracy: good on steps=10, good on steps=50, good on steps=100"
        in text
    )
    assert [cell.vary["steps"] for cell in pareto(*swapped(quality, SPEED_AT_25)).cells] == [25]


def swapped(quality: Run, speed: Run) -> tuple[Run, Run]:
    return speed, quality


def test_two_fixed_values_join_if_they_are_equal() -> None:
    quality = result(QUALITY, {"good": 0.9}, 0.1, dataset=["digits"])
    assert len(pareto(fixed(quality, steps=25), SPEED_AT_25).cells) == 1
    assert len(pareto(fixed(quality, epochs=3), SPEED_AT_25).cells) == 1  # a setting that speed does not have


@pytest.mark.parametrize(
    ("quality", "said"),
    [
        (fixed(result(QUALITY, {"good": 0.9}, 0.1, dataset=["digits"]), steps=50), r"steps \(25 and 50\)"),
        (result(QUALITY, {"good": 0.9}, 0.1, steps=[10, 50]), r"steps \(25 and 10, 50\)"),
        (fixed(result(QUALITY, {"good": 0.9}, 0.1, dataset=["a"]), steps=25, nfe=10), r"steps \(25 and None\)"),
    ],
)
def test_nothing_joined_is_a_line_with_the_settings_that_differ(quality: Run, said: str) -> None:
    with pytest.raises(BenchError, match=f"the same settings in run-seconds and run-accuracy: {said}"):
        pareto(quality, SPEED_AT_25)


def test_means_that_differ_by_rounding_are_both_on_the_front() -> None:
    both = [result(metric, {"a": 1.0, "b": 1.0 + 1e-9}, 0.1, n=[1]) for metric in (QUALITY, SPEED)]
    assert {row.best["accuracy"] for row in pareto(both[0], both[1]).cells} == {"best"}
