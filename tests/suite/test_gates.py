"""Gates in a suite: what they mean, and every mistake in one line with its place and near miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness import suite

Load = Callable[..., suite.Suite]
Wrong = Callable[..., list[str]]

PLAIN = "protocol: accuracy\nmeasure: [accuracy, nll, entropy]\nvary: {dataset: digits, loss: [hinge, focal]}\n"
COMPARED = PLAIN + "baseline: hinge\n"
TIMED = "protocol: speed\nvary: {loss: [hinge, focal]}\nsettings: {n: 3}\nbaseline: hinge\n"


def gate(metric: str, rule: str, bound: float, relative: bool = False, confirm: int = 0) -> dict[str, Any]:
    return {"metric": metric, "rule": rule, "bound": bound, "relative": relative, "confirm": confirm}


def test_every_rule_is_one_gate(load: Load) -> None:
    text = "gate: {accuracy: {not-worse-than: 0.002, at_least: 1}, nll: {worse_than: 5%, at_most: -1e-6}, entropy: {at_most: 2}}\n"
    assert load(COMPARED + text).gates == [
        gate("accuracy", "not_worse_than", 0.002),
        gate("accuracy", "at_least", 1.0),
        gate("nll", "worse_than", 0.05, relative=True),
        gate("nll", "at_most", -1e-6),
        gate("entropy", "at_most", 2.0),
    ]


@pytest.mark.parametrize(
    ("written", "bound", "relative"),
    [("5%", 0.05, True), ("'2.50 %'", 0.025, True), (".1%", 0.001, True), ("0%", 0.0, True), ("0.002", 0.002, False), ("3", 3.0, False), ("0", 0.0, False)],
)  # fmt: skip
def test_a_margin_is_a_number_or_a_percentage(load: Load, written: str, bound: float, relative: bool) -> None:
    assert load(COMPARED + f"gate: {{nll: {{worse_than: {written}}}}}\n").gates == [
        gate("nll", "worse_than", bound, relative)
    ]


def test_confirm_belongs_to_the_regression(load: Load) -> None:
    found = load(TIMED + "gate: {accuracy: {confirm: 2, worse_than: 5%, at_most: 1}}\n").gates
    assert found == [gate("accuracy", "worse_than", 0.05, relative=True, confirm=2), gate("accuracy", "at_most", 1.0)]


@pytest.mark.parametrize("text", ["", "gate:\n", "gate: ~\n"])
def test_without_the_key_there_is_none(load: Load, text: str) -> None:
    assert load(PLAIN + text).gates == []


def test_a_bound_can_be_set_on_the_command_line(load: Load) -> None:
    text = COMPARED + "gate: {nll: {worse_than: 5%}}\n"
    assert load(text, {"gate.nll.worse_than": "10%"}).gates == [gate("nll", "worse_than", 0.1, relative=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (COMPARED + "gate: {}\n", "5:7: gate: expected a mapping, metric: {rule: bound}, got an empty mapping"),
        (COMPARED + "gate: 5%\n", "5:7: gate: expected a mapping, metric: {rule: bound}, got '5%'"),
        (COMPARED + "gate: {nll: 5%}\n", "5:13: gate.nll: expected a mapping, {worse_than: 5%} or such, got '5%'"),
        (COMPARED + "gate: {nl: {at_most: 1}}\n", "5:8: gate: 'nl' is not measured here, did you mean nll?"),
        (COMPARED + "gate: {ece: {at_most: 1}}\n", "5:8: gate: 'ece' is not measured here (choose from accuracy, entropy, nll)"),
        (COMPARED + "gate: {nll: {at_mots: 1, at_least: 0}}\n", "5:14: gate.nll has no key 'at_mots', did you mean at_most?"),
        (TIMED + "gate: {accuracy: {confirm: 2}}\n", "5:19: gate.accuracy.confirm: only worse_than can be confirmed"),
        (TIMED + "gate: {accuracy: {at_most: 1, confirm: 2}}\n", "5:31: gate.accuracy.confirm: only worse_than can be confirmed"),
        (TIMED + "gate: {accuracy: {worse_than: 1, confirm: 0}}\n", "5:43: gate.accuracy.confirm: expected a whole number at least 1 and at most 100000, got 0"),
        (COMPARED + "gate: {nll: {worse_than: 5%, confirm: 2}}\n", "5:30: gate.nll.confirm: accuracy gives the same numbers again for the same seeds, there is nothing to confirm"),
        (COMPARED + "gate: {nll: {worse_than: -1}}\n", "5:26: gate.nll.worse_than: expected a number at least 0, got -1"),
        (COMPARED + "gate: {nll: {worse_than: five}}\n", "5:26: gate.nll.worse_than: expected a number at least 0 or a percentage as 5%, got 'five'"),
        (COMPARED + "gate: {nll: {not_worse_than: -5%}}\n", "5:30: gate.nll.not_worse_than: expected a number at least 0 or a percentage as 5%, got '-5%'"),
        (COMPARED + "gate: {nll: {worse_than: true}}\n", "5:26: gate.nll.worse_than: expected a number at least 0 or a percentage as 5%, got true"),
        (COMPARED + "gate: {nll: {worse_than: [1]}}\n", "5:26: gate.nll.worse_than: expected a number at least 0 or a percentage as 5%, got a list"),
        (COMPARED + "gate: {nll: {at_most: 5%}}\n", "5:23: gate.nll.at_most: expected a number, got '5%'"),
        (COMPARED + "gate: {nll: {at_most: .inf}}\n", "5:23: gate.nll.at_most: must be finite"),
        (COMPARED + "gate: {nll: {worse_than: .inf}}\n", "5:26: gate.nll.worse_than: must be finite"),
        (PLAIN + "gate: {nll: {worse_than: 5%}}\n", "4:14: gate.nll.worse_than: the suite has no baseline to compare with"),
        (COMPARED + "gate: {entropy: {worse_than: 5%}}\n", "5:18: gate.entropy.worse_than: entropy only describes, no value of it is worse"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_near_miss(mistakes: Wrong, text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_a_metric_with_a_mistake_of_its_own_is_told_once(mistakes: Wrong) -> None:
    text = PLAIN.replace("[accuracy, nll, entropy]", "[accuracy, {ece: {bns: 3}}]")
    assert mistakes(text + "gate: {ece: {at_most: 1}}\n") == ["2:27: ece has no field 'bns', did you mean bins?"]
