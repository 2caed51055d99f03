"""Claims: read from a suite with their mistakes, tested on the measurements, and reported by their source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.results import Claim
from harness.results.codec import typed
from tests.conftest import Bench
from tests.helpers.analysis import analyse

RNG = np.random.default_rng(0)
SEEDS = 8


def rows(values: dict[tuple[str, str], Any], status: dict[tuple[str, str], str] | None = None) -> list[dict[str, Any]]:
    """Rows by (problem, contender) with these values."""
    found = []
    for (problem, name), each in values.items():
        ended = (status or {}).get((problem, name), "ok")
        vary = {"dataset": problem, "loss": name}
        numbers = {"m": list(map(float, each))} if ended == "ok" else {}
        found.append({"id": f"{problem}{name}", "vary": vary, "status": ended, "reason": "it broke", "seeds": list(range(len(each))), "metrics": numbers})  # fmt: skip
        if ended == "ok":
            found[-1]["reason"] = None
    return found


def run(cells: list[dict[str, Any]], claims: list[dict[str, Any]], higher_is_better: bool = False) -> dict[str, Any]:
    axes = {axis: list(dict.fromkeys(cell["vary"][axis] for cell in cells)) for axis in ("dataset", "loss")}
    metrics = [{"label": "m", "higher_is_better": higher_is_better, "unit": None, "ideal": None}]
    return {"metrics": metrics, "baseline": None, "group_by": None, "axes": axes, "contenders": ["loss"], "margin": None, "interval": "seeds", "claims": claims, "cells": cells}  # fmt: skip


def noisy(mean: float, spread: float = 0.01) -> np.ndarray[Any, Any]:
    return mean + RNG.normal(size=SEEDS) * spread


def problems(lead: dict[str, float], higher_is_better: bool = False) -> list[dict[str, Any]]:
    """On each problem `b` is `lead` behind `a`, and `c` far behind both."""
    values = {}
    for problem, behind in lead.items():
        base = RNG.normal(size=SEEDS)
        for name, mean in (("a", 0.0), ("b", behind), ("c", 5.0)):
            values[problem, name] = base + (-1 if higher_is_better else 1) * mean + noisy(0)
    return rows(values)


def along(*names: str) -> list[dict[str, str]]:
    return [{"loss": name} for name in names]


def claim(form: str = "order", *names: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "theorem", "source": "a paper", "form": form, "metric": "m", "points": along(*names)} | fields


def outcomes(found: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    return {(test["row"], test["other"], test["problem"].get("dataset")): test["outcome"] for test in found["tests"]}


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_an_order_holds_fails_or_is_undecided_problem_by_problem(higher_is_better: bool) -> None:
    cells = problems({"one": 1.0, "two": 0.0, "three": -1.0}, higher_is_better)
    result = analyse(run(cells, [claim("order", "a", "b")], higher_is_better))
    found = outcomes(result["claims"][0])
    assert found == {("a", "b", "one"): "holds", ("a", "b", "two"): "undecided", ("a", "b", "three"): "fails"}
    said = "By theorem (a paper): a at least as good as b in m: fails (holds in 1, undecided in 1, fails in 1 (three) of 3 tests)"  # fmt: skip
    assert said in result["answer"]


def test_every_pair_of_an_order_is_tested_not_neighbors_alone() -> None:
    """b equals a and c equals b to within the noise, while a is ahead of c: neighbors alone would say nothing."""
    base = RNG.normal(size=SEEDS)
    values = {("one", name): base + mean + noisy(0, 0.1) for name, mean in (("a", 0.0), ("b", 0.06), ("c", 0.4))}
    result = analyse(run(rows(values), [claim("order", "a", "b", "c", kind="expected")]))
    tests = {(test["row"], test["other"]): test for test in result["claims"][0]["tests"]}
    assert set(tests) == {("a", "b"), ("a", "c"), ("b", "c")} and tests["a", "c"]["outcome"] == "holds"


def test_estimate_interval_and_p_are_those_of_scipy_with_holm_over_all_claims() -> None:
    cells = problems({"one": 0.02, "two": 0.005})
    both = [claim("order", "a", "b"), claim("max", bound=0.5, kind="ours", where={"loss": ["a"]})]
    result = analyse(run(cells, both))
    values = {(cell["vary"]["dataset"], cell["vary"]["loss"]): np.array(cell["metrics"]["m"]) for cell in cells}
    pairs = [stats.ttest_rel(values[p, "b"], values[p, "a"]) for p in ("one", "two")]
    single = [stats.ttest_1samp(values[p, "a"], 0.5) for p in ("one", "two")]
    ps = [float(each.pvalue) for each in (*pairs, *single)]
    order = sorted(range(4), key=lambda k: ps[k])
    adjusted, highest = [0.0] * 4, 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (4 - rank) * ps[k]))
        adjusted[k] = highest
    tests = [test for each in result["claims"] for test in each["tests"]]
    assert [test["p"] for test in tests] == pytest.approx(adjusted)
    for test, found in zip(tests[:2], pairs, strict=True):
        low, high = found.confidence_interval(0.95)
        assert (test["low"], test["high"]) == pytest.approx((low, high))
    for test, found, problem in zip(tests[2:], single, ("one", "two"), strict=True):
        low, high = found.confidence_interval(0.95)
        assert (test["estimate"], test["low"], test["high"]) == pytest.approx((values[problem, "a"].mean(), low, high))


def test_what_is_equal_is_shown_by_two_one_sided_tests_and_a_larger_difference_contradicts_it() -> None:
    base = RNG.normal(size=SEEDS)
    values = {("one", "a"): base, ("one", "b"): base + noisy(0.002, 0.001), ("one", "c"): base + noisy(0.5)}
    result = analyse(run(rows(values), [claim("equal", "a", "b", "c", within=0.01)]))
    found = outcomes(result["claims"][0])
    assert found == {("a", "b", None): "holds", ("a", "c", None): "fails", ("b", "c", None): "fails"}
    pair = values["one", "a"] - values["one", "b"]
    error = stats.sem(pair)
    p = stats.t.sf((0.01 - abs(pair.mean())) / error, SEEDS - 1)
    smallest = sorted(test["p"] for test in result["claims"][0]["tests"])
    assert max(smallest) == pytest.approx(max(p, *smallest[:2]), rel=1e-6)


def test_a_difference_near_the_margin_is_undecided() -> None:
    base = RNG.normal(size=SEEDS)
    values = {("one", "a"): base, ("one", "b"): base + noisy(0.01, 0.01)}
    (found,) = analyse(run(rows(values), [claim("equal", "a", "b", within=0.01)]))["claims"]
    assert outcomes(found) == {("a", "b", None): "undecided"}


@pytest.mark.parametrize(
    ("form", "bound", "outcome"),
    [("max", 1.1, "holds"), ("max", 0.9, "fails"), ("min", 0.9, "holds"), ("min", 1.1, "fails"),
     ("max", 1.0, "undecided")],
)  # fmt: skip
def test_a_bound_is_on_the_mean(form: str, bound: float, outcome: str) -> None:
    values = noisy(1.0)
    values += 1.0 - values.mean() + (1e-4 if outcome == "undecided" else 0)
    (found,) = analyse(run(rows({("one", "a"): values}), [claim(form, bound=bound)]))["claims"]
    assert [test["outcome"] for test in found["tests"]] == [outcome]


def test_a_mean_that_is_the_bound_itself_keeps_it() -> None:
    result = analyse(run(rows({("one", "a"): [2 / 3] * SEEDS}), [claim("max", bound=2 / 3)]))
    assert result["claims"][0]["tests"][0]["outcome"] == "same"
    assert "m at most 0.666667: met exactly (0.667, 0.667 to 0.667)" in result["answer"]


@pytest.mark.parametrize(("mean", "outcome"), [(0.2219, "holds"), (0.25, "fails")])
def test_a_known_value_has_a_tolerance(mean: float, outcome: str) -> None:
    known = claim("value", bound=0.2222840520, within=0.001)
    (found,) = analyse(run(rows({("one", "a"): noisy(mean, 1e-4)}), [known]))["claims"]
    assert [test["outcome"] for test in found["tests"]] == [outcome]


@pytest.mark.parametrize(
    ("means", "outcome"),
    [((0.0, 1.0, 2.0), "holds"), ((0.0, 0.0, 2.0), "holds"), ((0.0, 2.0, 1.0), "fails"), ((2.0, 1.0, 0.0), "fails")],
)
def test_a_trend_rises_from_end_to_end_and_falls_nowhere(means: tuple[float, ...], outcome: str) -> None:
    base = RNG.normal(size=SEEDS)
    values = {("one", name): base + mean + noisy(0) for name, mean in zip("abc", means, strict=True)}
    result = analyse(run(rows(values), [claim("rises", "a", "b", "c"), claim("falls", "c", "b", "a")]))
    assert [typed(Claim, each).outcome for each in result["claims"]] == [outcome, outcome]


@pytest.mark.parametrize(("names", "ends"), [("abd", ("a", "d")), ("bc", ("b", "c")), ("cd", ("c", "d"))])
def test_a_trend_over_selected_points_runs_from_the_first_of_them_to_the_last(
    names: str, ends: tuple[str, ...]
) -> None:
    base = RNG.normal(size=SEEDS)
    values = {("one", name): base + mean + noisy(0) for name, mean in zip("abcd", (0.0, 1.0, 3.0, 2.0), strict=True)}
    rule = claim("rises", *"abcd", where={"loss": [*names]})
    (found,) = analyse(run(rows(values), [rule]))["claims"]
    assert typed(Claim, found).outcome == ("fails" if names == "cd" else "holds")
    assert [(test["row"], test["other"]) for test in found["tests"]][-1] == ends
    assert len(found["tests"]) == (3 if len(names) > 2 else 1)


def test_a_trend_with_an_interval_that_lies_the_other_way_is_undecided() -> None:
    """From one to two the mean falls by more than its interval, too little for the correction of all tests."""
    base, spread = RNG.normal(size=SEEDS), np.tile([-1.0, 1.0], SEEDS // 2)
    values = {("one", "a"): base, ("two", "a"): base - 1 + 1.1 * spread, ("three", "a"): base + 9 + 0.1 * noisy(0)}
    points = [{"dataset": name} for name in ("one", "two", "three")]
    even = claim("min", points=[], bound=float(base.mean()), where={"dataset": ["one"]})
    rules = [claim("rises", points=points), *[even] * 5]
    found = analyse(run(rows(values), rules))["claims"][0]
    between = found["tests"][0]
    assert between["outcome"] == "undecided" and between["high"] < 0
    assert [test["outcome"] for test in found["tests"]] == ["undecided", "holds", "holds"]
    assert "undecided (holds in 2, undecided in 1 of 3 tests)" in analyse(run(rows(values), rules))["answer"]


def led(leads: dict[str, float], higher_is_better: bool = False) -> tuple[list[dict[str, Any]], dict[Any, Any]]:
    """On each problem `a` leads `b` by so much, in the mean over seeds."""
    sign = 1 if higher_is_better else -1
    values = {}
    for problem, by in leads.items():
        base = RNG.normal(size=SEEDS)
        values[problem, "a"], values[problem, "b"] = base + sign * by + noisy(0), base + noisy(0)
    return rows(values), values


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_a_trend_of_a_lead_is_that_of_scipy(higher_is_better: bool) -> None:
    cells, values = led({"few": 2.0, "some": 1.0, "many": 0.5}, higher_is_better)
    points = [{"dataset": name} for name in ("few", "some", "many")]
    rule = claim("falls", points=points, lead=along("a", "b"))
    found = analyse(run(cells, [rule], higher_is_better))["claims"][0]
    (ends,) = [test for test in found["tests"] if test["ends"]]
    sign = 1 if higher_is_better else -1
    lead = {name: sign * (values[name, "a"] - values[name, "b"]) for name in ("few", "some", "many")}
    oracle = stats.ttest_rel(lead["few"], lead["many"])
    assert (ends["row"], ends["other"]) == ("few", "many") and ends["outcome"] == "holds"
    assert ends["estimate"] == pytest.approx(lead["few"].mean() - lead["many"].mean())
    assert [ends["low"], ends["high"]] == pytest.approx(list(oracle.confidence_interval()))
    assert {test["outcome"] for test in found["tests"]} == {"holds"} and len(found["tests"]) == 3
    rises = analyse(run(cells, [{**rule, "form": "rises"}], higher_is_better))["claims"][0]
    assert {test["outcome"] for test in rises["tests"]} == {"fails"}


@pytest.mark.parametrize(("bound", "outcome"), [(0.9, "holds"), (1.1, "fails")])
def test_a_lead_has_a_bound(bound: float, outcome: str) -> None:
    cells, values = led({"one": 1.0})
    result = analyse(run(cells, [claim("min", points=[], lead=along("a", "b"), bound=bound)]))
    (test,) = result["claims"][0]["tests"]
    assert test["outcome"] == outcome
    assert test["estimate"] == pytest.approx((values["one", "b"] - values["one", "a"]).mean())
    assert f"the lead of a over b in m at least {bound}: {outcome} (lead " in result["answer"]


def test_a_lead_over_an_identical_row_moves_nowhere() -> None:
    """Differences of equal rows are rounding, whatever the size of the values."""
    base = 1e3 * RNG.normal(size=SEEDS)
    values = {(p, n): base * (1 + 1e-8 * RNG.normal(size=SEEDS)) for p in ("one", "two") for n in ("a", "b")}
    rule = claim("rises", points=[{"dataset": "one"}, {"dataset": "two"}], lead=along("a", "b"))
    (test,) = analyse(run(rows(values), [rule]))["claims"][0]["tests"]
    assert test["outcome"] == "same"


def test_a_lead_where_one_row_failed_is_not_passed_over() -> None:
    _, values = led({"one": 1.0, "two": 0.5})
    cells = rows(values, {("one", "a"): "failed"})
    rule = claim("falls", points=[{"dataset": "one"}, {"dataset": "two"}], lead=along("a", "b"))
    found = analyse(run(cells, [rule]))["claims"][0]
    assert [test["outcome"] for test in found["tests"]] == ["not_tested"]


def test_where_the_opposite_is_claimed_an_order_holds_if_it_is_reversed() -> None:
    cells = problems({"one": 1.0, "two": -1.0, "three": 1.0})
    (found,) = analyse(run(cells, [claim("order", "a", "b", fails_on={"dataset": ["two", "three"]})]))["claims"]
    assert outcomes(found) == {("a", "b", "one"): "holds", ("a", "b", "two"): "holds", ("a", "b", "three"): "fails"}


def test_places_on_two_axes_are_compared() -> None:
    cells = problems({"one": 1.0, "two": 1.0})
    points = [{"dataset": "one", "loss": "a"}, {"dataset": "two", "loss": "c"}]
    (found,) = analyse(run(cells, [claim("order", points=points)]))["claims"]
    assert outcomes(found) == {("one / a", "two / c", None): "holds"}


def test_a_row_that_failed_is_not_passed_over() -> None:
    cells = rows({("one", "a"): noisy(0), ("one", "b"): noisy(1), ("two", "a"): noisy(0), ("two", "b"): noisy(1)},
                 {("two", "b"): "failed"})  # fmt: skip
    result = analyse(run(cells, [claim("order", "a", "b")]))
    assert outcomes(result["claims"][0]) == {("a", "b", "one"): "holds", ("a", "b", "two"): "not_tested"}
    assert "undecided (holds in 1, not tested in 1 of 2 tests)" in result["answer"]


def test_chance_breaks_no_theorem() -> None:
    """Of forty equal pairs two would be called broken at 5 % each."""
    found = analyse(run(problems({f"p{k}": 0.0 for k in range(40)}), [claim("order", "a", "b")]))["claims"][0]
    assert {test["outcome"] for test in found["tests"]} == {"undecided"} and len(found["tests"]) == 40


@pytest.mark.parametrize("share", [0.0, 0.9, 1.1])
@pytest.mark.parametrize("lead", [1.0, -1.0])
def test_a_test_on_a_decision_threshold_neither_confirms_nor_contradicts(share: float, lead: float) -> None:
    """Rows differ by 1.0 with noise of 0.01: what a threshold on a data point can change it by is less, or more."""
    cells = problems({"one": lead, "two": 2.0})
    cells[1]["on_threshold"] = {"m": share}
    first, second = analyse(run(cells, [claim("order", "a", "b"), claim("order", "b", "c")]))["claims"]
    expected = "not_tested" if share > 1 else "holds" if lead > 0 else "fails"
    assert outcomes(first) == {("a", "b", "one"): expected, ("a", "b", "two"): "holds"}
    assert set(outcomes(second).values()) == {"holds"}, "c is 3 behind b or more"


def test_without_claims_nothing_is_said() -> None:
    result = analyse(run(problems({"one": 1.0}), []))
    assert result["claims"] == [] and "theorem" not in result["answer"]


def test_every_part_of_the_question_is_answered_by_its_own_metric_and_axis() -> None:
    asks = [{"ask": "Which loss?", "metric": "m"}, {"ask": "Which data?", "metric": "m", "axis": "dataset"}]
    cells = problems({"one": 1.0, "two": 1.0})
    for cell in cells:
        if cell["vary"]["dataset"] == "two":
            cell["metrics"]["m"] = [value + 20 for value in cell["metrics"]["m"]]
    result = analyse(run(cells, []) | {"asks": asks})
    first, second = result["answers"]
    assert [each["best"] for each in first["problems"]] == [["a"], ["a"]]
    assert [(each["problem"], each["best"], each["beaten"]) for each in second["problems"]] == [({"loss": name}, ["one"], 1) for name in "abc"]  # fmt: skip
    assert result["answer"].startswith("Which loss? By m: a best or tied in 2 of 2 problems (2 alone)")
    assert "Which data? By m: one best or tied in 3 of 3 problems (3 alone)" in result["answer"]


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("{order: [good, bad]}", "claims: write where it is from, under one of theorem, expected, open and ours"),
        ("{theorem: a, expected: b, order: [good, bad]}", "claims: write where it is from"),
        ("{theorem: a}", "claims: write what is claimed, under one of order, equal, max, min, value, rises and falls"),
        ("{theorem: a, order: [good, bad], max: 3}", "claims: write what is claimed"),
        ("{theorem: a, order: [good]}", "claims.order: expected a list of two points or more, the best first"),
        (
            "{theorem: a, order: [good, bda]}",
            "claims.order: no axis has one point for each name, see 'bda', did you mean bad?",
        ),
        ("{theorem: a, order: [good, zzz]}", "see 'zzz': there are bad, good"),
        ("{theorem: a, order: [{loss: good}, bad]}", "claims.order: write all points as names, or all as mappings"),
        ("{theorem: a, order: [{los: good}, {los: bad}]}", "claims.order: 'los' is no axis that varies here"),
        ("{theorem: a, equal: [good, bad]}", "claims.equal: within is missing, the largest difference"),
        ("{theorem: a, min: 0, lead: [good]}", "claims.lead: expected a list of two points, the one that leads first"),
        ("{theorem: a, min: 0, lead: [good, bda]}", "claims.lead: no axis has one point for each name, see 'bda'"),
        ("{theorem: a, rises: loss, lead: [good, bad]}", "claims.lead: rises runs along loss too"),
        ("{theorem: a, order: [good, bad], within: 1}", "claims.within: order has no margin, only equal and value"),
        ("{theorem: a, max: much}", "claims.max: expected a number"),
        ("{theorem: a, rises: los}", "claims.rises: expected an axis that varies here"),
        (
            "{theorem: a, order: [good, bad], metric: scor}",
            "claims.metric: 'scor' is not measured here, did you mean score?",
        ),
        ("{theorem: a, order: [good, bad], were: {}}", "claims has no key 'were', did you mean where?"),
        ("{theorem: a, order: [good, bad], where: {los: good}}", "claims.where: 'los' is no axis that varies here"),
        ("[theorem]", "claims: expected a mapping with a source and what is claimed"),
    ],
)
def test_mistakes_are_named(written: str, mistake: str, bench: Bench) -> None:
    ended = bench("validate", bench.suite("[good, bad]", claims=written))
    assert ended.code == 2 and mistake in ended.err


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("[{metric: score}]", "question: ask is missing, the sentence to answer"),
        ("[{ask: Which?, metric: scor}]", "question.metric: 'scor' is not measured here, did you mean score?"),
        ("[{ask: Which?, axis: los}]", "question.axis: 'los' is no axis that varies here"),
        ("[{ask: Which?, ax: loss}]", "question has no key 'ax', did you mean axis?"),
        ("[Which?]", "question: expected a mapping"),
    ],
)
def test_mistakes_in_a_question_are_named(written: str, mistake: str, bench: Bench) -> None:
    ended = bench("validate", bench.suite("[good, bad]", question=written))
    assert ended.code == 2 and mistake in ended.err


def test_claims_and_questions_go_from_suite_to_answer(bench: Bench) -> None:
    claims = '[{theorem: "2 > 1", order: [two, good]}, {ours: here, claim: Two is two, value: 2, within: 0.1, where: {loss: two}}]'  # fmt: skip
    suite = bench.suite("[good, {good: {value: 2}, as: two}]", claims=claims, question="[{ask: Which is best?}]")
    ended = bench(suite, "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err
    assert ended.json["question"] == "Which is best?" and ended.json["answer"].startswith("Which is best? By score: ")
    assert "By theorem (2 > 1): two at least as good as good in score: " in ended.json["answer"]
    assert "Claimed here (here): Two is two: " in ended.json["answer"]


def test_what_would_decide_is_counted_at_the_level_that_all_tests_leave() -> None:
    """A lead with p = 0.01 alone is undecided among ten tests: more than no seeds are needed."""
    draw = np.random.default_rng(5)
    noise = draw.normal(size=SEEDS)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    lead = stats.t.isf(0.005, SEEDS - 1) / np.sqrt(SEEDS)  # two-sided p = 0.01
    values = {}
    for k in range(10):
        base = draw.normal(size=SEEDS)
        values |= {(f"p{k}", "a"): base, (f"p{k}", "b"): base + lead + noise}
    (found,) = analyse(run(rows(values), [claim("order", "a", "b")]))["claims"]
    assert {test["outcome"] for test in found["tests"]} == {"undecided"}
    many = range(SEEDS, 100)
    enough = next(n for n in many if lead * np.sqrt(n) >= stats.t.isf(0.0025, n - 1) + stats.t.isf(0.2, n - 1))
    assert {test["needed"]["seeds"] for test in found["tests"]} == {enough - SEEDS} and enough > SEEDS
