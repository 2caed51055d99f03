"""The Result JSON of made-up runs: pairing, families, verdicts, marks, and the answer a reader gets."""

from __future__ import annotations

import copy
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.analysis import verdict_possible
from harness.errors import BenchError
from tests.helpers.analysis import analyse, partners

Run = dict[str, Any]
Make = Callable[..., Run]
SEEDS = list(range(8))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """make({loss: shift}, ...) -> a run whose losses are right more often by `shift` logits, on each data set."""

    def run(
        shifts: dict[str, float], datasets: Sequence[str] = ("digits",), seeds: Sequence[int] = SEEDS, **more: Any
    ) -> Run:
        rng, cells = np.random.default_rng(0), []
        for d, dataset in enumerate(datasets):
            easy, noise = rng.normal(1, 1, 200), rng.logistic(size=(max(seeds) + 1, 200))
            for k, (loss, shift) in enumerate(shifts.items()):
                own = easy + shift + rng.normal(0, 0.1, 200)
                right = (noise + own + rng.normal(0, 0.5, noise.shape) > 0).astype(float)
                path = tmp_path / f"{d}-{k}.npz"
                ids = np.broadcast_to(np.arange(200), right.shape)
                units = {"accuracy/values": right, "accuracy/ids": ids}
                np.savez(path, seeds=np.arange(len(right)), **units)  # type: ignore[arg-type]
                metrics = {"accuracy": right.mean(1)[seeds].tolist(), "nll": (1 - right.mean(1))[seeds].tolist()}
                cells.append(cell({"dataset": dataset, "loss": loss}, metrics, seeds, units=[str(path)]))
        axes = {"dataset": list(datasets), "loss": list(shifts)}
        return whole(cells, axes, contenders=["loss", "trainer"], **more)

    return run


def cell(vary: dict[str, Any], metrics: dict[str, list[Any]], seeds: Sequence[int] = SEEDS, **more: Any) -> Run:
    about = {"id": "-".join(map(str, vary.values())), "vary": vary, "parameters": {}, "tuned": {}, "status": "ok"}
    cost = {"reason": None, "seconds": 1.0, "peak_memory": 1, "seeds": list(seeds), "units": [], "notes": []}
    return about | cost | {"metrics": metrics} | more


def whole(cells: list[Run], axes: dict[str, list[Any]], **more: Any) -> Run:
    metrics = [
        {"label": "accuracy", "higher_is_better": True, "unit": None},
        {"label": "nll", "higher_is_better": False, "unit": "nats"},
    ]
    about = {
        "suite": "made-up",
        "question": "?",
        "run": "r",
        "protocol": "accuracy",
        "environment": {},
        "metrics": metrics,
    }
    plan = {
        "baseline": "ce",
        "group_by": None,
        "axes": axes,
        "contenders": ["loss"],
        "margin": None,
        "interval": "both",
    }
    return about | plan | {"warnings": [], "cells": cells} | more


def plain(values: dict[str, Sequence[float | None]], **more: Any) -> Run:
    """A run with one number per seed and no units."""
    cells = [cell({"loss": k}, {"accuracy": list(v)}, range(len(v))) for k, v in values.items()]
    return whole(cells, {"loss": list(values)}, **more)


def entry(result: Run, index: int, metric: str = "accuracy") -> Run:
    found: Run = result["cells"][index]["against"][metric]
    return found


def test_result_has_the_public_form_and_is_valid_json(make: Make) -> None:
    result = analyse(make({"ce": 0, "good": 0.8, "ce2": 0.0}))
    text = json.dumps(result, allow_nan=False)
    assert json.loads(text) == result
    assert {
        "schema",
        "suite",
        "question",
        "run",
        "protocol",
        "exit",
        "environment",
        "cells",
        "answer",
        "issues",
    } <= set(result)
    assert {"id", "vary", "parameters", "tuned", "status", "reason", "seconds", "peak_memory", "seeds", "metrics",
            "against", "best", "notes", "settings", "why", "skipped", "changed"} == set(result["cells"][1])  # fmt: skip
    assert {"values", "mean", "low", "high", "interval", "higher_is_better", "unit"} <= set(
        result["cells"][1]["metrics"]["nll"]
    )
    assert {"baseline", "difference", "low", "high", "p", "p_holm", "family", "verdict", "needed",
            "reason"} <= set(entry(result, 1))  # fmt: skip
    assert ".npz" not in text


def test_verdicts_follow_the_direction_of_the_metric(make: Make) -> None:
    result = analyse(make({"ce": 0, "good": 0.8, "bad": -0.8}))
    assert result["cells"][0]["against"] == {}
    assert [entry(result, i, m)["verdict"] for m in ("accuracy", "nll") for i in (1, 2)] == ["better", "worse"] * 2
    assert entry(result, 1, "nll")["difference"] < 0 < entry(result, 1)["difference"]
    assert entry(result, 1)["baseline"] == "ce"
    assert entry(result, 1)["needed"] == {"seeds": 0, "examples": 0}
    assert [cell["metrics"]["accuracy"]["interval"] for cell in result["cells"]] == ["both"] * 3
    assert result["cells"][0]["metrics"]["nll"]["interval"] == "seeds"  # it has no units


def test_p_values_are_those_of_scipy_and_the_family_is_the_whole_suite(make: Make) -> None:
    run = make({"ce": 0, "a": 0.1, "b": 0.2}, ["digits", "wine"], interval="seeds")
    result = analyse(run)
    values = [cell["metrics"]["nll"] for cell in run["cells"]]
    ps = [stats.ttest_rel(values[i], values[b]).pvalue for i, b in ((1, 0), (2, 0), (4, 3), (5, 3))]
    entries = [entry(result, i, "nll") for i in (1, 2, 4, 5)]
    assert [e["p"] for e in entries] == pytest.approx(ps)
    assert {e["family"] for e in entries} == {4}
    assert min(e["p_holm"] for e in entries) == pytest.approx(4 * min(ps))


def test_surplus_seeds_and_the_order_of_rows_change_nothing(make: Make) -> None:
    run = make({"ce": 0, "a": 0.3})
    before = analyse(run)
    for one in run["cells"]:
        (path,) = one["units"]
        with np.load(path) as file:
            order = np.arange(len(file["seeds"]))[::-1]
            arrays = {key: file[key][order] for key in file.files}
        extra = {key: np.concatenate([rows, rows[:3] + (100 if key == "seeds" else 0)]) for key, rows in arrays.items()}
        half = len(order) // 2
        np.savez(path, **{key: rows[:half] for key, rows in extra.items()})  # type: ignore[arg-type]
        np.savez(path + ".npz", **{key: rows[half:] for key, rows in extra.items()})  # type: ignore[arg-type]
        one["units"].append(path + ".npz")
    assert analyse(run) == before


def test_seeds_pair_by_number(make: Make) -> None:
    run = make({"ce": 0, "a": 0.3})
    before = entry(analyse(run), 1)
    other = run["cells"][1]
    order = [3, 1, 7, 0, 2, 5, 4, 6]
    other["seeds"] = order
    other["metrics"] = {label: [values[k] for k in order] for label, values in other["metrics"].items()}
    after = entry(analyse(run), 1)
    assert {k: after[k] for k in ("difference", "low", "high", "p")} == pytest.approx(
        {k: before[k] for k in ("difference", "low", "high", "p")}
    )
    other["seeds"], other["metrics"] = order[:5], {label: values[:5] for label, values in other["metrics"].items()}
    both = [run["cells"][0]["metrics"]["nll"][k] for k in order[:5]]
    oracle = stats.ttest_rel(other["metrics"]["nll"], both)
    assert entry(analyse(run), 1, "nll")["p"] == pytest.approx(oracle.pvalue)


def test_swapping_contender_and_baseline_swaps_the_verdict(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8})
    there, back = entry(analyse(run), 1), entry(analyse(run | {"baseline": "good"}), 0)
    assert (there["verdict"], back["verdict"]) == ("better", "worse")
    assert there["p"] == pytest.approx(back["p"])
    assert there["low"] == pytest.approx(-back["high"])


def test_failed_and_skipped_cells_stay_as_rows(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8, "bad": -0.8, "odd": 0})
    run["cells"][2] |= {"status": "timeout", "reason": "no answer in 5 s"}
    run["cells"][3] |= {"status": "skipped", "reason": "cannot"}
    result = analyse(run)
    assert [cell["status"] for cell in result["cells"]] == ["ok", "ok", "timeout", "skipped"]
    assert all(result["cells"][2][key] == {} for key in ("metrics", "against", "best"))
    assert (entry(result, 1)["family"], result["exit"]) == (1, 3)
    assert "bad timed out (no answer in 5 s)" in result["answer"] and "1 row was skipped" in result["answer"]


def test_a_failed_baseline_leaves_no_verdict_and_says_why(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8})
    run["cells"][0] |= {"status": "crashed", "reason": "signal 11"}
    found = entry(analyse(run), 1)
    assert found["verdict"] is None and found["p"] is None and found["difference"] is None
    assert found["reason"] == "the baseline's row is crashed: signal 11"
    assert "1 comparison has no verdict: the baseline's row is crashed" in analyse(run)["answer"]


def test_a_margin_makes_equivalent(make: Make) -> None:
    run = make({"ce": 0, "alike": 0.0, "good": 0.8})
    assert [entry(analyse(run), i)["verdict"] for i in (1, 2)] == ["undecided", "better"]
    for margin in (0.1, {"accuracy": 0.1}):
        result = analyse(run | {"margin": margin})
        assert [entry(result, i)["verdict"] for i in (1, 2)] == ["equivalent", "better"]
        assert "equivalent: alike +0.0" in result["answer"] or "equivalent: alike -0.0" in result["answer"]
    assert entry(analyse(run | {"margin": {"nll": 0.1}}), 1)["verdict"] == "undecided"
    assert entry(analyse(run | {"margin": 0.9}), 2)["verdict"] == "equivalent"  # real, but smaller than what matters


def test_one_seed_gives_no_verdict_unless_examples_were_asked_for(make: Make) -> None:
    run = make({"ce": 0, "good": 1.5}, seeds=[0])
    result = analyse(run)
    found = entry(result, 1)
    assert (found["verdict"], found["p"], found["interval"], found["family"]) == (None, None, "examples", 0)
    assert found["reason"] == "one seed says nothing about other seeds"
    assert any(line.startswith("one seed") for line in result["issues"])
    assert entry(analyse(run | {"interval": "examples"}), 1)["verdict"] == "better"
    assert result["cells"][0]["metrics"]["nll"]["low"] is None and result["cells"][0]["metrics"]["nll"]["reason"]


def test_diverged_seeds_are_left_out_and_said(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8})
    run["cells"][1]["metrics"] = {"accuracy": [None, None, *run["cells"][1]["metrics"]["accuracy"][2:]]}
    result = analyse(run)
    shown = result["cells"][1]["metrics"]["accuracy"]
    assert shown["values"][:2] == [None, None] and "2 of 8 seeds" in shown["reason"]
    assert shown["mean"] == pytest.approx(np.mean(shown["values"][2:]))
    assert entry(result, 1)["verdict"] == "better" and "2 of 8" in entry(result, 1)["reason"]
    assert result["issues"] == ["good: 2 of 8 seeds have no finite accuracy; the others are compared"]
    run["cells"][1]["metrics"] = {"accuracy": [None] * 8}
    result = analyse(run)
    assert result["cells"][1]["metrics"]["accuracy"]["mean"] is None and result["cells"][1]["best"] == {}
    assert entry(result, 1)["reason"] == "no seed has a finite value in both rows"


def test_units_of_a_diverged_seed_may_be_missing(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8})
    run["cells"][1]["metrics"]["accuracy"][7] = None
    (path,) = run["cells"][1]["units"]
    with np.load(path) as file:
        np.savez(path, **{key: file[key][:7] for key in file.files})
    assert entry(analyse(run), 1)["interval"] == "both"


def test_best_tied_and_beaten_within_a_problem(make: Make) -> None:
    run = make({"ce": 0, "good": 0.8, "good2": 0.8, "bad": -0.8}, ["digits", "wine"])
    result = analyse(run | {"baseline": None})
    for start in (0, 4):
        found = [cell["best"]["accuracy"] for cell in result["cells"][start : start + 4]]
        assert sorted(found[1:3]) == ["best", "tied"] and [found[0], found[3]] == ["beaten", "beaten"]
    assert all(cell["against"] == {} for cell in result["cells"])
    assert "in accuracy on digits" in result["answer"] and "2 beaten" in result["answer"]


def test_best_is_the_lowest_where_lower_is_better_and_equals_share_it() -> None:
    cells = [cell({"loss": k}, {"nll": v}) for k, v in {"a": [2.0] * 8, "b": [1.0] * 8, "c": [1.0] * 8}.items()]
    result = analyse(whole(cells, {"loss": ["a", "b", "c"]}, baseline=None))
    assert [cell["best"]["nll"] for cell in result["cells"]] == ["beaten", "best", "best"]


@pytest.mark.parametrize(
    ("name", "index"), [("exact(margin=1.0)", 1), ("hinge", 3), ("cross-entropy", 0), ("cross_entropy(temp=2)", 0)]
)
def test_a_baseline_is_named_by_label_or_by_component(name: str, index: int) -> None:
    labels = ["cross_entropy(temp=2)", "exact(margin=1.0)", "exact", "hinge(form=ww)"]
    found = partners(plain({label: [1.0] for label in labels}, baseline=name))
    assert found is not None and {link.index for link in found} == {index}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exat", "did you mean exact"),
        ("zzz", "choose from a"),
        ("nll", r"2 rows of one problem \(nll\(t=1\), nll\(t=2\)\)"),
    ],
)
def test_a_baseline_that_is_no_row_or_several_is_an_error(name: str, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        analyse(plain({label: [1.0, 2.0] for label in ("a", "exact", "nll(t=1)", "nll(t=2)")}, baseline=name))


def grid(baseline: Any, drop: tuple[str, str] | None = None, **more: Any) -> Run:
    rng = np.random.default_rng(1)
    cells = [
        cell({"sampler": s, "variance": v, "steps": n}, {"accuracy": rng.random(8).tolist()})
        for s in ("ddpm", "ddim(eta=1)") for v in ("beta", "sn") for n in (10, 20) if (s, v) != drop
    ]  # fmt: skip
    axes: dict[str, list[Any]] = {"sampler": ["ddpm", "ddim(eta=1)"], "variance": ["beta", "sn"], "steps": [10, 20]}
    return whole(cells, axes, contenders=["sampler", "variance"], baseline=baseline, **more)


def shown_partners(run: Run) -> list[list[Any]]:
    return [list(run["cells"][p.index]["vary"].values()) if p.index is not None else [] for p in partners(run) or ()]


def test_a_mapping_compares_along_the_named_axes_only() -> None:
    run = grid({"sampler": "ddim"})
    rows = [list(cell["vary"].values()) for cell in run["cells"]]
    assert shown_partners(run) == [["ddim(eta=1)", variance, steps] for _, variance, steps in rows]
    result = analyse(run)
    assert entry(result, 0)["baseline"] == "ddim(eta=1) / beta" and result["cells"][4]["against"] == {}
    assert entry(result, 0)["family"] == 4
    run = grid({"sampler": "ddpm", "variance": "sn"})
    assert shown_partners(run) == [["ddpm", "sn", steps] for *_, steps in rows]
    assert shown_partners(grid({"steps": 10})) == [[sampler, variance, 10] for sampler, variance, _ in rows]
    assert "steps=20" in analyse(grid({"steps": 10}))["answer"]


def test_a_row_without_a_partner_has_no_verdict_and_a_reason() -> None:
    result = analyse(grid({"sampler": "ddpm"}, drop=("ddpm", "sn")))
    found = entry(result, -1)
    assert (found["verdict"], found["p"], found["reason"]) == (None, None, "no row is the same but for ddpm")
    assert found["family"] == 2


def test_a_name_is_ambiguous_where_two_axes_compete_until_within_splits_them() -> None:
    with pytest.raises(BenchError, match="ddpm is 2 rows of one problem"):
        partners(grid("ddpm"))
    run = grid("ddpm", group_by=["variance", "steps"])
    assert shown_partners(run) == [["ddpm", *list(cell["vary"].values())[1:]] for cell in run["cells"]]


@pytest.mark.parametrize("baseline", ["ddim", {"sampler": "ddim"}])
def test_a_contender_that_ignores_an_axis_of_one_point_stands_beside_the_others(baseline: Any) -> None:
    def run(*grids: str) -> list[int | None]:
        rows = [("ddim", grid) for grid in grids] + [("library", None)]
        cells = [cell({"grid": grid, "sampler": name}, {}) for name, grid in rows]
        axes = {"grid": list(grids), "sampler": ["ddim", "library"]}
        links = partners(whole(cells, axes, contenders=["sampler"], baseline=baseline))
        return [link.index for link in links or ()]

    assert run("even") == [0, 0]
    assert run("even", "trailing") == [0, 1, None]


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        ({"samplr": "x"}, "no axis samplr, did you mean sampler"),
        ({"sampler": "ddin"}, "sampler ddin is no row, did you mean"),
    ],
)
def test_a_mapping_that_names_nothing_is_an_error(baseline: Any, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        partners(grid(baseline))


def test_the_answer_says_who_wins_by_how_much_and_how_sure(make: Make) -> None:
    result = analyse(make({"ce": 0, "good": 0.8, "bad": -0.8}))
    e = entry(result, 1)
    better = f"good best, {e['difference']:+.3f} ({e['low']:.3f} to {e['high']:.3f})"
    worse = f"worse: bad {entry(result, 2)['difference']:+.3f} ("
    assert f"In accuracy, against ce: {better}; {worse}" in result["answer"]
    lower = analyse(
        make({"ce": 0, "good": 0.8}) | {"metrics": [{"label": "nll", "higher_is_better": False, "unit": "nats"}]}
    )
    e = entry(lower, 1, "nll")
    said = re.search(r"(?:better: good|good best,) (\S+) nats \((\S+) to (\S+)\)", lower["answer"])
    assert said is not None
    assert [float(each) for each in said.groups()] == pytest.approx([e["difference"], e["low"], e["high"]], rel=0.02)
    assert len({len(each.partition(".")[2]) for each in said.groups()}) == 1, "one number of decimals"


def test_the_answer_says_what_would_decide() -> None:
    base = np.random.default_rng(2).random(10)
    noise = np.array([1, -1, 2, -2, 1, -1, 0, 0, 3, -3]) / 100
    result = analyse(plain({"ce": base.tolist(), "a": (base + noise + 0.004).tolist(), "b": (base + noise).tolist()}))
    more = entry(result, 1)["needed"]["seeds"]
    assert 100 < more < 1000  # about (2.24 + 0.84)^2 (sd / difference)^2
    assert more == pytest.approx(
        (stats.norm.isf(0.0125) + stats.norm.isf(0.2)) ** 2 * (noise.std(ddof=1) / 0.004) ** 2, rel=0.06
    )
    assert "No row differs significantly from its baseline in accuracy." in result["answer"]
    assert f"undecided: a (about {math.ceil(more / 10) * 10} more seeds), b." in result["answer"]


def test_the_answer_advises_examples_where_seeds_cannot_decide(make: Make, tmp_path: Path) -> None:
    """Every seed gives the same answers on 100 examples, 6 better and 3 worse than the baseline's."""
    right = np.tile(np.repeat([1.0, 0.0], 50), (8, 1))
    other = right.copy()
    other[:, 50:56], other[:, :3] = 1, 0
    cells = []
    for name, values in {"ce": right, "new": other}.items():
        ids = np.broadcast_to(np.arange(100), values.shape)
        np.savez(tmp_path / f"{name}.npz", **{"seeds": np.arange(8), "accuracy/values": values, "accuracy/ids": ids})  # type: ignore[arg-type]
        cells.append(cell({"loss": name}, {"accuracy": values.mean(1).tolist()}, units=[str(tmp_path / f"{name}.npz")]))
    result = analyse(whole(cells, {"loss": ["ce", "new"]}))
    more = entry(result, 1)["needed"]
    assert more["seeds"] is None and more["examples"] > 100
    assert "no number of seeds decides it, about" in result["answer"] and "more test examples would" in result["answer"]


def test_the_answer_has_a_sentence_for_each_problem(make: Make) -> None:
    sets = ["digits", "wine", "iris", "csv"]
    result = analyse(make({"ce": 0.0, "good": 0.8, "bad": -0.8}, sets))
    ends = [entry(result, 3 * k + 1)["difference"] for k in range(4)]
    alike = (
        f"In accuracy, against ce, in all 4 problems: good best (between {min(ends):+.3f} and {max(ends):+.3f}); "
        "worse: bad ("
    )
    pooled = r"In accuracy, against ce, over 4 problems: good better on 4 of 4 problems, pooled \+0\.\d+ \(0\.\d+ to 0\.\d+\); bad"
    assert re.match(pooled, result["answer"]) and alike in result["answer"] and "digits" not in result["answer"]
    mixed = make({"ce": 0.0, "good": 0.8, "bad": -0.8}, sets)
    for place in (1, 4):  # of digits and of wine: as good as the baseline
        mixed["cells"][place]["metrics"] = mixed["cells"][place - 1]["metrics"]
        mixed["cells"][place]["units"] = mixed["cells"][place - 1]["units"]
    told = analyse(mixed)["answer"]
    assert re.match(
        "In accuracy, against ce, over 4 problems: bad worse on 4 of 4 .*; undecided: good \\(better on 2 of 4 problems, pooled",
        told,
    )
    assert ". In accuracy, against ce, in all 4 problems: worse: bad (" in told
    assert "digits: identical: good. wine: identical: good. iris: good best, +" in told


def test_of_many_problems_the_answer_counts_by_contender(make: Make) -> None:
    result = analyse(make({"ce": 0.0, "good": 0.8, "bad": -0.8}, [f"set{k}" for k in range(8)]))
    assert re.search(
        r"in all 8 problems: good best \(between \+\S+ and \+\S+\); worse: bad \(between -\S+ and -\S+\)\.$",
        result["answer"],
    )
    mixed = make({"ce": 0.0, "good": 0.8, "bad": -0.8}, [f"set{k}" for k in range(8)])
    mixed["cells"][1] |= {key: mixed["cells"][0][key] for key in ("metrics", "units")}
    assert re.search(
        r"in all 8 problems: worse: bad .*\. good: better in 7 of 8 problems \(.*\), identical in 1\.$",
        analyse(mixed)["answer"],
    )


def test_the_answer_stays_short(make: Make) -> None:
    shifts = {"ce": 0.0} | {f"good{k}": 0.8 for k in range(9)} | {f"even{k}": 0.02 * k for k in range(9)}
    result = analyse(make(shifts, ["digits", "wine", "iris"]))
    assert "5 more; undecided: " in result["answer"] and len(result["answer"]) < 1500
    many = analyse(make(shifts, [f"set{k}" for k in range(8)]))
    assert "5 more; undecided: " in many["answer"] and len(many["answer"]) < 1500
    free = analyse(make(shifts, [f"set{k}" for k in range(8)]) | {"baseline": None})
    assert "Best in the 5 other problems" in free["answer"] and len(free["answer"]) < 1500


def test_analysis_leaves_its_input_alone_and_keeps_what_a_report_needs(make: Make) -> None:
    run = make({"ce": 0, "a": 0.1})
    before = copy.deepcopy(run)
    result = analyse(run)
    assert run == before
    assert all(result[key] == run[key] for key in ("axes", "contenders", "group_by", "interval", "baseline"))
    assert [metric["label"] for metric in result["metrics"]] == [metric["label"] for metric in run["metrics"]]


def test_few_seeds_are_a_warning() -> None:
    result = analyse(plain({"ce": [1.0, 2.0, 3.0], "a": [1.5, 2.0, 3.0]}))
    assert result["issues"] == ["3 seeds: 2 degrees of freedom, so only large differences can be detected"]


def test_nothing_measured_is_said() -> None:
    result = analyse(whole([cell({"loss": "ce"}, {}, status="failed", reason="no file")], {"loss": ["ce"]}))
    assert result["answer"] == "No row has a value of accuracy. ce failed (no file)."


@pytest.mark.parametrize(
    ("seeds", "family", "kind", "words"),
    [
        (1, 3, "both", "one seed"),
        (1, 3, "seeds", "one seed"),
        (2, 12, "both", "2 seeds and 12 comparisons"),
        (9, 0, "both", "no baseline"),
    ],
)
def test_a_plan_that_cannot_decide_is_called_out(seeds: int, family: int, kind: str, words: str) -> None:
    line = verdict_possible(seeds, family, kind)
    assert line is not None and words in line


@pytest.mark.parametrize(("seeds", "family"), [(2, 1), (2, 40), (3, 12)])
def test_the_distance_it_names_is_the_quantile(seeds: int, family: int) -> None:
    line = verdict_possible(seeds, family)
    assert line is not None and f"{stats.t.isf(0.025 / family, seeds - 1):.3g} standard errors" in line


def test_a_plan_that_can_decide_is_not() -> None:
    assert [verdict_possible(*plan) for plan in ((1, 3, "examples"), (3, 1, "both"), (8, 40, "both"))] == [None] * 3


def test_importing_the_analysis_loads_no_numbers_library() -> None:
    code = "import sys, harness.analysis; print([m for m in ('numpy', 'scipy', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
