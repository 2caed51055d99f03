"""Gates in a suite: what they mean, and every mistake in one line with its place and near miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness import suite

Load = Callable[..., suite.Suite]
Wrong = Callable[..., list[str]]

PLAIN = "protocol: accuracy\nmetrics: [accuracy, nll, entropy]\nvary: {dataset: digits, loss: [hinge, focal]}\n"
COMPARED = PLAIN + "baseline: hinge\n"
TIMED = "protocol: speed\nvary: {loss: [hinge, focal]}\nsettings: {n: 3}\nbaseline: hinge\n"


def gate(metric: str, rule: str, bound: float, relative: bool = False, confirm_runs: int = 0) -> dict[str, Any]:
    return {"metric": metric, "rule": rule, "bound": bound, "relative": relative, "confirm_runs": confirm_runs}


def test_every_rule_is_one_gate(load: Load) -> None:
    text = "gates: {accuracy: {non-inferior-by: 0.002, min: 1}, nll: {max_regression: 5%, max: -1e-6}, entropy: {max: 2}}\n"
    assert load(COMPARED + text).gates == [
        gate("accuracy", "non_inferior_by", 0.002),
        gate("accuracy", "min", 1.0),
        gate("nll", "max_regression", 0.05, relative=True),
        gate("nll", "max", -1e-6),
        gate("entropy", "max", 2.0),
    ]


@pytest.mark.parametrize(
    ("written", "bound", "relative"),
    [("5%", 0.05, True), ("'2.50 %'", 0.025, True), (".1%", 0.001, True), ("0%", 0.0, True), ("0.002", 0.002, False), ("3", 3.0, False), ("0", 0.0, False)],
)  # fmt: skip
def test_a_margin_is_a_number_or_a_percentage(load: Load, written: str, bound: float, relative: bool) -> None:
    assert load(COMPARED + f"gates: {{nll: {{max_regression: {written}}}}}\n").gates == [
        gate("nll", "max_regression", bound, relative)
    ]


def test_confirm_belongs_to_the_regression(load: Load) -> None:
    found = load(TIMED + "gates: {accuracy: {confirm_runs: 2, max_regression: 5%, max: 1}}\n").gates
    assert found == [
        gate("accuracy", "max_regression", 0.05, relative=True, confirm_runs=2),
        gate("accuracy", "max", 1.0),
    ]


@pytest.mark.parametrize("text", ["", "gates:\n", "gates: ~\n"])
def test_without_the_key_there_is_none(load: Load, text: str) -> None:
    assert load(PLAIN + text).gates == []


def test_a_bound_can_be_set_on_the_command_line(load: Load) -> None:
    text = COMPARED + "gates: {nll: {max_regression: 5%}}\n"
    assert load(text, {"gates.nll.max_regression": "10%"}).gates == [gate("nll", "max_regression", 0.1, relative=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (COMPARED + "gates: {}\n", "5:8: gates: expected a mapping, metric: {rule: bound}, got an empty mapping"),
        (COMPARED + "gates: 5%\n", "5:8: gates: expected a mapping, metric: {rule: bound}, got '5%'"),
        (COMPARED + "gates: {nll: 5%}\n", "5:14: gates.nll: expected a mapping, {max_regression: 5%} or such, got '5%'"),
        (COMPARED + "gates: {nl: {max: 1}}\n", "5:9: gates: 'nl' is not measured here, did you mean nll?"),
        (COMPARED + "gates: {ece: {max: 1}}\n", "5:9: gates: 'ece' is not measured here (choose from accuracy, entropy, nll)"),
        (COMPARED + "gates: {nll: {mxa: 1, min: 0}}\n", "5:15: gates.nll has no key 'mxa', did you mean max?"),
        (TIMED + "gates: {accuracy: {confirm_runs: 2}}\n", "5:20: gates.accuracy.confirm_runs: only max_regression can be confirmed"),
        (TIMED + "gates: {accuracy: {max: 1, confirm_runs: 2}}\n", "5:28: gates.accuracy.confirm_runs: only max_regression can be confirmed"),
        (TIMED + "gates: {accuracy: {max_regression: 1, confirm_runs: 0}}\n", "5:53: gates.accuracy.confirm_runs: expected a whole number at least 1 and at most 100000, got 0"),
        (COMPARED + "gates: {nll: {max_regression: 5%, confirm_runs: 2}}\n", "5:35: gates.nll.confirm_runs: accuracy gives the same numbers again for the same seeds, there is nothing to confirm"),
        (COMPARED + "gates: {nll: {max_regression: -1}}\n", "5:31: gates.nll.max_regression: expected a number at least 0, got -1"),
        (COMPARED + "gates: {nll: {max_regression: five}}\n", "5:31: gates.nll.max_regression: expected a number at least 0 or a percentage as 5%, got 'five'"),
        (COMPARED + "gates: {nll: {non_inferior_by: -5%}}\n", "5:32: gates.nll.non_inferior_by: expected a number at least 0 or a percentage as 5%, got '-5%'"),
        (COMPARED + "gates: {nll: {max_regression: true}}\n", "5:31: gates.nll.max_regression: expected a number at least 0 or a percentage as 5%, got true"),
        (COMPARED + "gates: {nll: {max_regression: [1]}}\n", "5:31: gates.nll.max_regression: expected a number at least 0 or a percentage as 5%, got a list"),
        (COMPARED + "gates: {nll: {max: 5%}}\n", "5:20: gates.nll.max: expected a number, got '5%'"),
        (COMPARED + "gates: {nll: {max: .inf}}\n", "5:20: gates.nll.max: must be finite"),
        (COMPARED + "gates: {nll: {max_regression: .inf}}\n", "5:31: gates.nll.max_regression: must be finite"),
        (PLAIN + "gates: {nll: {max_regression: 5%}}\n", "4:15: gates.nll.max_regression: the suite has no baseline to compare with"),
        (COMPARED + "gates: {entropy: {max_regression: 5%}}\n", "5:19: gates.entropy.max_regression: entropy only describes, no value of it is worse"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_near_miss(mistakes: Wrong, text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_a_metric_with_a_mistake_of_its_own_is_told_once(mistakes: Wrong) -> None:
    text = PLAIN.replace("[accuracy, nll, entropy]", "[accuracy, {ece: {bns: 3}}]")
    assert mistakes(text + "gates: {ece: {max: 1}}\n") == ["2:28: ece has no field 'bns', did you mean bins?"]
