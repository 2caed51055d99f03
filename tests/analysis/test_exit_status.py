"""`--fail-on`: every condition, its reason in one line, and where it stands among the exit codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.analysis import analyse
from harness.analysis.exit_status import CONDITIONS, exit_code
from harness.report.exit_status import lines
from harness.results import FailOn, Run
from tests.conftest import Bench, Ended
from tests.helpers.runs import row, run
from tests.report import factory


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    bench = shared("ending")
    bench.suite("[good, {good: {value: 0.5}}, {good: {value: 2}}]")
    bench.suite("[good, {bad: {how: skip}}, {bad: {how: raise}}, {bad: {how: nan}}]", name="mixed.yaml")
    bench.suite(name="alone.yaml", baseline=None)
    return bench


def conditions(ended: Ended) -> list[str]:
    """The reasons on stderr, without what stands before them."""
    return [line.removeprefix("bench: ") for line in ended.lines if line.startswith("bench: ")]


def test_a_reason_is_1_and_a_line(folder: Bench) -> None:
    ended = folder("s.yaml", "--device", "cpu", "--fail-on", "undecided,regression,skipped,error,noisy", "--json", "-")
    assert (ended.code, ended.json["exit"]) == (1, 1)
    assert conditions(ended) == [
        "regression: good(value=0.5) is worse than good in score",
        "noisy: nothing is known of this machine's false alarms, bench doctor finds out",
    ]
    assert folder("s.yaml", "--device", "cpu", "--fail-on", "undecided,noisy", "-q").code == 0


def test_a_failed_row_is_3_whatever_else_failed(folder: Bench) -> None:
    ended = folder("mixed.yaml", "--device", "cpu", "--fail-on", "error, skipped", "-q")
    assert ended.code == 3
    failed, skipped = conditions(ended)
    assert re.fullmatch(r"error: bad failed: ValueError: not today \(noop\.py:\d+\)", failed)
    assert skipped == "skipped: bad(how=skip) skipped: this pair is impossible"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("s.yaml", "--fail-on", "regresion"), "bench run: argument --fail-on: no condition 'regresion', did you mean regression?"),
        (("s.yaml", "--fail-on", "skipped,"), "bench run: argument --fail-on: no condition '' (choose from error, noisy, regression, skipped, undecided)"),
        (("alone.yaml", "--fail-on", "undecided"), "bench: alone.yaml: --fail-on undecided: the suite has no baseline"),
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_met_is_2(folder: Bench, words: tuple[str, ...], line: str) -> None:
    ended = folder(*words, "--device", "cpu")
    assert (ended.code, ended.lines) == (2, [line])


def fit(rate: float | None) -> Run:
    doctor = None if rate is None else {"false_positive_rate": rate, "alpha": 0.05}
    return replace(factory.result(), environment={"doctor": doctor})


def reasons(run: Run, conditions: list[str]) -> list[str]:
    return list(lines(run, conditions))


def test_a_machine_is_noisy_above_alpha() -> None:
    assert [exit_code(fit(rate), ["noisy"]) for rate in (0.0, 0.05, 0.06, None)] == [0, 0, 1, 0]
    line = "noisy: timings of equal functions differ significantly in 12.5 % of cases on this machine, more than 5 %"
    assert reasons(fit(0.125), ["noisy"]) == [line]


def test_one_seed_decides_nothing() -> None:
    result = analyse(run([row("old", [0.5]), row("new", [0.1])], []))
    line = "undecided: new is undecided against old in m: one seed says nothing about other seeds"
    assert reasons(result, ["undecided", "regression"]) == [line]


def test_a_row_without_a_partner_is_not_undecided() -> None:
    result = analyse(run([row("new", [0.1, 0.2])], [], axes={"dataset": ["digits"], "loss": ["old", "new"]}))
    assert result.cells[0].against["m"].verdict is None
    assert reasons(result, ["undecided"]) == []


def test_the_first_metric_of_every_row_counts() -> None:
    result = factory.result()
    told = [f"regression: hinge on {place} is worse than cross_entropy in accuracy" for place in factory.PROBLEMS]
    assert reasons(result, ["regression"]) == told
    told = [f"undecided: focal on {place} is undecided against cross_entropy in accuracy" for place in factory.PROBLEMS]
    assert reasons(result, ["undecided"]) == told
    assert reasons(result, ["skipped", "error", "noisy"]) == [
        "noisy: nothing is known of this machine's false alarms, bench doctor finds out"
    ]
    lost = tuple(factory.without(cell, "timeout", None) for cell in result.cells)
    assert len(reasons(replace(result, cells=lost), ["error"])) == len(lost)
    assert set(CONDITIONS) == set(FailOn) == {"regression", "undecided", "skipped", "noisy", "error"}
