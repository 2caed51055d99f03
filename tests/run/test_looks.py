"""Looks at test sets: counted over the records of every suite, by hand; p adjusted for all of them, by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from harness.analysis import analyse
from harness.report import prose
from harness.report.view import view
from harness.results import Looks, Verdict
from harness.run.looks import Seen
from tests.conftest import NOOP, Bench
from tests.helpers.runs import row, run

P = 2.0**-7
"""p of a difference that is the same at all of 8 seeds: that of their signs."""


def looked(bench: Bench, loss: str, *words: str, **keys: Any) -> dict[str, Any]:
    """The one entry of the ledger after a suite of these losses, with p of its second row."""
    found = bench(bench.suite(loss, **keys), "--json", "-", *words).json
    (entry,) = found["looks"]
    second = found["cells"][1]
    assert entry["test_set"] == second["test_set"]
    shown = {name: entry[name] for name in ("variants", "own", "fixed")}
    return {
        **shown,
        "p_holm": second["against"]["score"]["p_holm"],
        "p_looks": second["against"]["score"].get("p_looks"),
    }


FOUR = "[good, {good: {value: 2}}, {good: {value: 3}}, {good: {value: 4}}]"
TWO = "[good, {good: {value: 5}}]"


@pytest.mark.verify
def test_a_second_suite_on_the_same_data_counts_the_variants_of_the_first(bench: Bench) -> None:
    assert looked(bench, FOUR) == {"variants": 4, "own": 4, "fixed": True, "p_holm": 3 * P, "p_looks": None}
    quiet = bench("report", "last")
    assert "variants" not in quiet.out and "confirmatory" not in quiet.out
    assert "confirmatory: fixed before the first look at this test set" in bench("report", "last", "-v").out
    later = {"variants": 5, "own": 2, "fixed": False, "p_holm": P, "p_looks": (1 + 3) * P}
    assert looked(bench, TWO, name="b.yaml", suite="others") == later
    line = "exploratory: 5 variants have seen this test set; p adjusted for all of them: good(value=5.0) 0.031"
    assert line in bench("report", "last").out.splitlines()
    assert line.replace("_", "\\_") in bench("report", "last", "--format", "md").out
    assert looked(bench, TWO, "--fresh", name="b.yaml", suite="others") == later  # measured again, it is no new look
    seven = {"variants": 5, "own": 4, "fixed": True, "p_holm": 3 * P, "p_looks": (3 + 1) * P}
    assert looked(bench, FOUR) == seven  # the first suite was fixed, and is not alone any more


@pytest.mark.verify
def test_what_is_another_test_set_has_a_ledger_of_its_own(bench: Bench) -> None:
    csv = "a,y\n" + "".join(f"{k},{k % 2}\n" for k in range(12))
    bench.write("t.csv", csv)
    alone = {"variants": 2, "own": 2, "fixed": True, "p_holm": P, "p_looks": None}
    more = {"variants": 4, "own": 2, "fixed": False, "p_holm": P, "p_looks": 3 * P}
    others = "[{good: {value: 7}}, {good: {value: 8}}]"
    table = "{csv: {path: t.csv, target: y}}"
    keys: list[dict[str, Any]] = [
        {},
        {"seeds": "{n: 8, split: fixed}"},
        {"loss": f"{TWO}, dataset: iris"},
        {"loss": f"{TWO}, dataset: {{iris: {{label_noise: 0.1}}}}"},
        {"loss": f"{TWO}, dataset: {table}"},
    ]
    for each in keys:
        each.setdefault("loss", TWO)
        assert looked(bench, **each) == alone, each
    for each in keys:
        loss = each["loss"].replace(TWO, others)
        assert looked(bench, **{**each, "loss": loss, "baseline": "good(value=7.0)"}) == more, each
    bench.write("t.csv", csv.replace("11,1", "11,0"))
    assert looked(bench, f"{TWO}, dataset: {table}") == alone


@pytest.mark.verify
def test_contenders_are_fixed_or_were_added_after_a_look(bench: Bench) -> None:
    three = "[good, {good: {value: 2}}, {good: {value: 3}}]"
    part = {"variants": 2, "own": 2, "fixed": True, "p_holm": 2 * P, "p_looks": None}
    assert looked(bench, three, "-k", "not 3.0") == part
    whole = {"variants": 3, "own": 3, "fixed": True, "p_holm": 2 * P, "p_looks": None}
    assert looked(bench, three) == whole  # as where a run goes on that was interrupted
    found = looked(bench, three, "--seeds", "12")
    assert found["fixed"] and found["variants"] == 3
    added = looked(bench, FOUR)
    assert (added["fixed"], added["variants"], added["own"], added["p_looks"]) == (False, 4, 4, None)
    assert "exploratory" not in bench("report", "last").out
    line = "exploratory: 4 variants have seen this test set, all of this suite, which had others at the first look"
    assert line in " ".join(bench("report", "last", "-v").out.split())


@pytest.mark.verify
def test_a_variant_is_what_its_author_chose(bench: Bench) -> None:
    plugin = (NOOP.read_text()).replace("class Good(Loss)", "class Mine(Loss)").replace("Noop, Good,", "Noop, Mine,")
    bench.write("own.py", plugin)
    keys: dict[str, Any] = {"plugins": "[own.py]", "baseline": "mine"}
    loss = TWO.replace("good", "mine")
    assert looked(bench, loss, **keys)["variants"] == 2
    bench.write("own.py", plugin.replace("Always works.", "Always works, as ever."))
    assert looked(bench, loss, **keys)["variants"] == 2
    bench.write("own.py", plugin.replace("seed / 100", "seed / 101"))
    changed = looked(bench, loss, **keys)
    assert (changed["variants"], changed["own"], changed["fixed"]) == (4, 2, False)
    settings = looked(bench, loss, **keys, settings="{pause: 0.001}")
    assert (settings["variants"], settings["own"]) == (6, 2)


@pytest.mark.verify
def test_each_metric_has_its_looks_and_a_failure_is_none(bench: Bench) -> None:
    assert bench(bench.suite("[good, {bad: {how: raise}}]"), "-q").code == 3
    found = bench(bench.suite(TWO, metrics="[score, other]"), "--json", "-").json
    counts = {each["metric"]: (each["variants"], each["own"]) for each in found["looks"]}
    assert counts == {"score": (2, 2), "other": (2, 2)}
    found = bench(bench.suite("[good, {good: {value: 6}}]", metrics="[other]"), "--json", "-").json
    assert [(each["metric"], each["variants"], each["own"]) for each in found["looks"]] == [("other", 3, 2)]


def test_p_over_all_looks_is_that_of_a_family_that_has_grown() -> None:
    """Holm's adjusted p by hand: 2 comparisons of the suite, 29 further variants with p = 1 each."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, (2, 12))
    values = {"base": np.zeros(12), "near": 0.7 + 0.5 * noise[0], "far": 3 + noise[1]}
    rows = [row(name, list(numbers), test_set="t") for name, numbers in values.items()]
    seen = Looks(test_set="t", metric="m", variants=32, own=3, fixed=False)
    found = analyse(run(rows, baseline="base", looks=(seen,)))
    against = {str(cell.vary["loss"]): cell.against["m"] for cell in found.cells if cell.against}
    near, far = against["near"], against["far"]
    assert near.p is not None and far.p is not None and far.p < near.p < 0.05
    assert far.p_looks == pytest.approx(31 * far.p) and near.p_looks == pytest.approx(min(1, 30 * near.p))
    assert far.p_holm == pytest.approx(2 * far.p) and near.p_holm == pytest.approx(near.p)
    assert far.verdict is Verdict.BETTER and near.verdict is Verdict.BETTER  # the suite's own family decides
    shown = view(found)
    (line,) = prose.looks(shown, shown.problems[0])
    assert line.startswith("exploratory: 32 variants have seen this test set; p adjusted for all of them: near ")
    assert line.index("near") < line.index("far")


def test_the_first_run_is_the_first_by_its_id_whatever_the_order_of_files() -> None:
    seen = Seen()
    for identity, suite in (
        ("20260101-000001-a-confirm-1", "part"),
        ("20260101-000001-a", "whole"),
        ("20260102-000001-b", "other"),
    ):
        look: Any = {"test_set": "t", "variant": identity, "suite": suite}
        record: Any = {"run": identity, "status": "ok", "block": 0, "metrics": {"m": [1.0], "n": None}, "look": look}
        seen.add(record)
        for odd in (
            {**record, "status": "failed"},
            {**record, "block": "tune"},
            {k: v for k, v in record.items() if k != "look"},
        ):
            seen.add(json.loads(json.dumps({**odd, "run": "1"})))
    assert seen.first == {"t": ("20260101-000001-a", "whole")}
    assert {key: len(found) for key, found in seen.variants.items()} == {("t", "m"): 3}
