"""Claimed orderings: read from a suite with their mistakes, held to what was measured, and said apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.conftest import Bench
from tests.helpers.analysis import analyse


def run(
    lead: dict[str, float], claims: list[dict[str, Any]], higher_is_better: bool = False, seeds: int = 8
) -> dict[str, Any]:
    """Two problems; on each `b` is `lead` behind `a`, and `c` far behind both; noise of 0.01."""
    cells = []
    draw = np.random.default_rng(0)
    for problem, behind in lead.items():
        base = draw.normal(size=seeds)
        for name, mean in (("a", 0.0), ("b", behind), ("c", 5.0)):
            values = (base + (-1 if higher_is_better else 1) * mean + draw.normal(size=seeds) * 0.01).tolist()
            vary = {"dataset": problem, "loss": name}
            cells.append({"id": f"{problem}{name}", "vary": vary, "parameters": {}, "tuned": {}, "status": "ok", "reason": None, "seconds": 1, "peak_memory": 1, "seeds": list(range(seeds)), "metrics": {"m": values}, "units": [], "notes": []})  # fmt: skip
    axes = {"dataset": list(lead), "loss": ["a", "b", "c"]}
    metrics = [{"label": "m", "higher_is_better": higher_is_better, "unit": None, "ideal": None}]
    return {"suite": "s", "question": "?", "run": "r", "protocol": "accuracy", "environment": {}, "metrics": metrics, "baseline": "a", "group_by": None, "axes": axes, "contenders": ["loss"], "margin": None, "interval": "seeds", "claims": claims, "cells": cells}  # fmt: skip


def claim(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "theorem",
        "source": "somebody",
        "metric": "m",
        "axis": "loss",
        "order": ["a", "b"],
        "where": {},
    } | fields


@pytest.mark.parametrize("higher_is_better", [False, True])
def test_an_order_holds_fails_or_is_open_place_by_place(higher_is_better: bool) -> None:
    result = analyse(run({"one": 1.0, "two": 0.0, "three": -1.0}, [claim()], higher_is_better))
    (found,) = result["claims"]
    assert found["pairs"] == [{"ahead": "a", "behind": "b", "holds": ["one"], "open": ["two"], "fails": ["three"]}]
    assert "By theorem: a is at least as good as b in m (somebody): contradicted, significantly better in 1, undecided in 1, significantly worse in 1 (three) of 3." in result["answer"]  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.9, 1.1])
@pytest.mark.parametrize("lead", [1.0, -1.0])
def test_a_pair_on_a_decision_threshold_neither_confirms_nor_contradicts(share: float, lead: float) -> None:
    """Rows differ by 1.0 with noise of 0.01: what a threshold on a data point can change it by is less, or more."""
    plan = run({"one": lead, "two": 2.0}, [claim(), claim(kind="expected", order=["b", "c"])])
    plan["cells"][1]["on_threshold"] = {"m": share}
    (pair,), (other,) = (each["pairs"] for each in analyse(plan)["claims"])
    (place,) = (key for key in ("open", "holds", "fails") if "one" in pair[key])
    assert place == ("open" if share > 1 else "holds" if lead > 0 else "fails")
    assert "two" in pair["holds"] and other["holds"] == ["one", "two"]  # c is 3 behind b or more


def test_what_is_expected_is_said_apart_from_what_is_proved() -> None:
    both = [claim(), claim(kind="expected", source="a paper", order=["b", "c"])]
    result = analyse(run({"one": 1.0, "two": 1.0}, both))
    assert "By theorem: a is at least as good as b in m (somebody): not contradicted, significantly better in 2 of 2." in result["answer"]  # fmt: skip
    assert (
        "Measured here, and no theorem: b beats c in m (a paper): significantly better in 2 of 2." in result["answer"]
    )


def test_neighbors_of_an_order_are_compared_where_it_is_claimed() -> None:
    result = analyse(run({"one": 1.0, "two": -1.0}, [claim(order=["a", "b", "c"], where={"dataset": ["one"]})]))
    pairs = result["claims"][0]["pairs"]
    assert [(p["ahead"], p["behind"], p["holds"], p["fails"]) for p in pairs] == [("a", "b", ["one"], []), ("b", "c", ["one"], [])]  # fmt: skip


def test_chance_breaks_no_theorem() -> None:
    """Of forty equal pairs two would be called broken at 5 % each."""
    lead = {f"p{k}": 0.0 for k in range(40)}
    pairs = analyse(run(lead, [claim()]))["claims"][0]["pairs"]
    assert len(pairs[0]["open"]) == 40


def test_without_claims_nothing_is_said() -> None:
    result = analyse(run({"one": 1.0}, []))
    assert result["claims"] == [] and "theorem" not in result["answer"]


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("{order: [good, bad]}", "claims: write where it is from, under one of theorem and expected"),
        ("{theorem: a, expected: b, order: [good, bad]}", "claims: write where it is from"),
        ("{theorem: a}", "claims.order: expected a list of two contenders or more, the best first"),
        ("{theorem: a, order: [good]}", "claims.order: expected a list of two contenders"),
        ("{theorem: a, order: [good, bda]}", "claims.order: no axis has one contender for each name, see 'bda'"),
        (
            "{theorem: a, order: [good, bad], metric: scor}",
            "claims.metric: 'scor' is not measured here, did you mean score?",
        ),
        ("{theorem: a, order: [good, bad], were: {}}", "claims has no key 'were', did you mean where?"),
        ("{theorem: a, order: [good, bad], where: {los: good}}", "claims.where: 'los' is no axis that varies here"),
        ("[theorem]", "claims: expected a mapping with a source and an order"),
    ],
)
def test_mistakes_are_named(written: str, mistake: str, bench: Bench) -> None:
    ended = bench("validate", bench.suite("[good, bad]", claims=written))
    assert ended.code == 2 and mistake in ended.err


def test_a_claim_goes_from_suite_to_answer(bench: Bench) -> None:
    suite = bench.suite("[good, {good: {value: 2}, as: two}]", claims='{theorem: "2 > 1", order: [two, good]}')
    ended = bench(suite, "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err
    assert "two is at least as good as good in score (2 > 1): " in ended.json["answer"]
