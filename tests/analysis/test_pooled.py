"""Contenders over several problems in a whole result: what is pooled, what is not, and how a report tells it."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.analysis import analyse
from harness.report import render
from harness.report.result import Result
from harness.results import Ask, MeasuredRun, MetricInfo, Overall, Standing, Status, Verdict
from harness.results.codec import from_json
from harness.statistics.pooled import pooled
from tests.helpers.runs import lost, row, run

SETS = ("digits", "wine", "iris", "csv")


def made(
    shift: float = 0.1, sets: tuple[str, ...] = SETS, scale: tuple[float, ...] = (1, 1, 1, 1), **more: Any
) -> MeasuredRun:
    rng, rows = np.random.default_rng(0), []
    for name, size in zip(sets, scale, strict=False):
        base = rng.normal(0.8, 0.02, 8)
        for loss, by in (("old", 0.0), ("new", shift), ("even", 0.0)):
            rows.append(row(loss, (size * (base + by + rng.normal(0, 0.02, 8))).tolist(), name))
    return run(rows, **more)


def overall(given: MeasuredRun) -> Overall:
    (found,) = analyse(given).overall
    return found


def standing(given: MeasuredRun, name: str) -> Standing:
    return next(each for each in overall(given).standings if each.row == name)


def test_differences_are_pooled_with_their_own_errors() -> None:
    given = made()
    values = {(cell.vary["loss"], cell.vary["dataset"]): np.array(cell.values["m"], float) for cell in given.cells}
    apart = [values["new", name] - values["old", name] for name in SETS]
    wanted = pooled([each.mean() for each in apart], [each.std(ddof=1) / math.sqrt(8) for each in apart])
    found = standing(given, "new").pooled
    assert found is not None and found.ratio is None
    assert (found.difference, found.low, found.high, found.p) == pytest.approx(
        (wanted.effect, wanted.low, wanted.high, wanted.p)
    )
    assert (found.problems, found.better, found.worse, found.verdict) == (4, 4, 0, Verdict.BETTER)
    other = standing(given, "even").pooled
    assert other is not None and other.p is not None
    assert found.p_holm == pytest.approx(2 * wanted.p) and other.p_holm == pytest.approx(other.p)  # type: ignore[operator]
    assert other.verdict is Verdict.UNDECIDED
    base = standing(given, "old")
    assert base.pooled is None and base.improvement is None and base.baseline is None and base.mean_rank is not None


def test_ranks_and_improvement_are_those_of_the_values() -> None:
    given = made()
    values = {
        name: [np.mean(each.values["m"]) for each in given.cells if each.vary["loss"] == name]
        for name in ("old", "new", "even")
    }  # type: ignore[arg-type]
    ranks = stats.rankdata(-np.array([*values.values()]), axis=0).mean(1)
    found = overall(given)
    assert [each.mean_rank for each in found.standings] == pytest.approx(ranks.tolist())
    assert found.friedman_p == pytest.approx(stats.friedmanchisquare(*values.values()).pvalue)
    assert found.critical_difference == pytest.approx(2.343 * math.sqrt(3 * 4 / 24), abs=1e-3)
    better = standing(given, "new").improvement
    assert better is not None and better.value > 0.95 and better.low is not None and better.low > 0.9
    lower = standing(dataclasses.replace(given, metrics=(MetricInfo(label="m", higher_is_better=False),)), "new")
    assert lower.improvement is not None and lower.improvement.value == pytest.approx(1 - better.value)
    assert lower.pooled is not None and lower.pooled.verdict is Verdict.WORSE and lower.pooled.worse == 4


def test_problems_of_other_scales_are_ranked_and_not_pooled() -> None:
    found = standing(made(scale=(1, 1, 30, 1)), "new")
    assert found.pooled is None and found.interquartile_mean is None
    assert found.mean_rank == 1 and found.improvement is not None
    assert "pooled" not in Result(analyse(made(scale=(1, 1, 30, 1)))).answer
    named = (MetricInfo(label="m", higher_is_better=True, unit="nats"),)
    assert standing(made(scale=(1, 1, 30, 1), metrics=named), "new").pooled is not None


def test_ratios_are_pooled_in_logarithms() -> None:
    """Times that differ by a hundred: twice as fast on one, four times on the other."""
    noise = np.random.default_rng(0).normal(0, 0.01, (2, 2, 20))
    rows = []
    for place, (name, size, factor) in enumerate((("small", 1e-3, 0.5), ("large", 1e-1, 0.25))):
        rows.append(row("old", (size * np.exp(noise[place, 0])).tolist(), name))
        rows.append(row("new", (size * factor * np.exp(noise[place, 1])).tolist(), name))
    info = (MetricInfo(label="m", higher_is_better=False, unit="s", relative_margin=0.02),)
    found = standing(run(rows, metrics=info, replicates="blocks"), "new").pooled
    assert found is not None and found.difference is None and found.ratio is not None
    assert found.ratio.ratio == pytest.approx(math.sqrt(0.5 * 0.25), rel=0.01) and found.better == 2
    assert found.spread == pytest.approx(math.log(2) / math.sqrt(2), rel=0.05)


def test_one_problem_and_no_baseline_have_nothing_over_problems() -> None:
    assert not analyse(made(sets=("digits",))).overall
    assert not analyse(made(baseline=None)).overall


def test_a_lost_row_leaves_the_ranks_and_is_counted_in_the_answer() -> None:
    given = made()
    cells = [lost("new", Status.CRASHED, "no luck", "wine") if each.id == "new-wine" else each for each in given.cells]
    given = dataclasses.replace(given, cells=tuple(cells))
    found = standing(given, "new")
    assert found.mean_rank is None and found.pooled is not None and found.pooled.problems == 3
    assert "over 4 problems: new better on 3 of 3 compared problems, pooled +" in Result(analyse(given)).answer
    assert standing(given, "even").mean_rank is not None and overall(given).friedman_p is None


def test_identical_rows_are_no_evidence() -> None:
    given = made(0.0)
    values = {each.vary["dataset"]: each.values for each in given.cells if each.vary["loss"] == "old"}
    cells = [dataclasses.replace(each, values=values[each.vary["dataset"]]) for each in given.cells]
    found = standing(dataclasses.replace(given, cells=tuple(cells)), "new")
    assert found.pooled is None and found.mean_rank == 2
    assert found.improvement is not None and found.improvement.value == pytest.approx(0.5)


def test_metrics_that_the_question_asks_for_have_it_too() -> None:
    rows = [
        dataclasses.replace(each, values={**each.values, "n": tuple(-value for value in each.values["m"])})  # type: ignore[operator, misc]
        for each in made().cells
    ]
    metrics = (MetricInfo(label="m", higher_is_better=True), MetricInfo(label="n", higher_is_better=False))
    asks = (Ask(ask="Which loses least?", metric="n"),)
    found = analyse(run(rows, metrics=metrics, asks=asks))
    assert [each.metric for each in found.overall] == ["m", "n"]
    assert "against old, over 4 problems: new better on 4 of 4 problems, pooled -0.1" in Result(found).answer


def test_two_problems_are_told_by_themselves_unless_they_decide() -> None:
    found = analyse(made(0.03, SETS[:2]))
    mean = found.overall[0].standings[1].pooled
    assert mean is not None and mean.verdict is Verdict.UNDECIDED and "pooled" not in Result(found).answer
    assert "all problems, pooled" in render(found, "console", 140)
    three = analyse(made(0.02, SETS[:3]))
    mean = three.overall[0].standings[1].pooled
    assert mean is not None and mean.verdict is Verdict.UNDECIDED and mean.better
    assert f"undecided: new (better on {mean.better} of 3 problems, pooled +" in Result(three).answer
    assert "pooled over problems by a random-effects mean" in render(three, "methods")


def test_the_answer_and_the_tables_tell_it() -> None:
    found = analyse(made())
    mean = found.overall[0].standings[1].pooled
    assert mean is not None and mean.difference is not None
    said = rf"^In m, against old, over 4 problems: new better on 4 of 4 problems, pooled \+{mean.difference:.3f}"
    assert re.match(said, Result(found).answer)
    assert from_json(json.loads(Result(found).to_json())).overall == found.overall
    wide = render(found, "console", 140)
    assert re.search(rf"^new .*\+{mean.difference:.3f}\d* \(0\.\d+ to 0\.\d+\) +▲ +1\.00$", wide, re.MULTILINE)
    narrow = render(found, "console", 60)
    assert max(map(len, narrow.splitlines())) <= 60 and "mean rank" in " ".join(narrow.split())
    assert "all problems, pooled | mean rank |" in render(found, "md")
    page = render(found, "html")
    assert "all problems, pooled" in page and "Pooled: the mean difference" in page


def test_a_report_says_why_interval_and_verdict_disagree() -> None:
    """One contender at p = 0.03 among many: its interval leaves out 0, and Holm decides nothing."""
    rng = np.random.default_rng(3)
    base, noise = rng.normal(0.8, 0.02, 8), rng.normal(0, 0.02, 8)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    near = base + 0.01 * (noise + 2.7 / math.sqrt(8))
    rows = [row("old", base.tolist()), row("near", near.tolist())]
    rows += [row(f"even{k}", (base + rng.normal(0, 0.02, 8)).tolist()) for k in range(5)]
    found = analyse(run(rows))
    entry = found.cells[1].against["m"]
    assert entry.low is not None and entry.low > 0 and entry.verdict is Verdict.UNDECIDED
    for form in ("console", "md", "html"):
        text = " ".join(render(found, form).split())
        assert "m: the interval of near leaves out no difference" in text and "all 6 together (Holm)" in text
    alone = analyse(run(rows[:2]))
    assert alone.cells[1].against["m"].verdict is Verdict.BETTER and "leaves out no" not in render(alone, "console")


def on(data: dict[str, str], given: MeasuredRun) -> MeasuredRun:
    """The run with the data set of every problem as a component."""
    cells = [
        dataclasses.replace(each, parameters={"dataset": {"name": data[str(each.vary["dataset"])]}})
        for each in given.cells
    ]
    return dataclasses.replace(given, cells=tuple(cells))


def test_problems_on_the_same_data_count_as_one() -> None:
    same = standing(on(dict.fromkeys(SETS, "digits"), made()), "new")
    assert same.pooled is None and same.mean_rank is not None
    two = standing(on({"digits": "a", "wine": "a", "iris": "b", "csv": "b"}, made()), "new").pooled
    cells = {(cell.vary["loss"], cell.vary["dataset"]): np.array(cell.values["m"], float) for cell in made().cells}
    apart = [cells["new", name] - cells["old", name] for name in SETS]
    means, errors = ([f(each) for each in apart] for f in (np.mean, lambda x: x.std(ddof=1) / math.sqrt(8)))
    wanted = pooled(np.reshape(means, (2, 2)).mean(1), np.reshape(errors, (2, 2)).mean(1))
    assert two is not None and two.problems == 4
    assert (two.difference, two.low, two.p) == pytest.approx((wanted.effect, wanted.low, wanted.p))


def test_a_pooled_difference_inside_the_margin_is_not_better() -> None:
    """A thousandth slower everywhere, measured sharply: significant, and of no interest to a metric of times."""
    noise = np.random.default_rng(0).normal(0, 1e-5, (len(SETS), 2, 20))
    rows = []
    for place, name in enumerate(SETS):
        rows += [row(loss, (by * np.exp(noise[place, k])).tolist(), name) for k, (loss, by) in
                 enumerate((("old", 1.0), ("new", 1.001)))]  # fmt: skip
    times = (MetricInfo(label="m", higher_is_better=False, unit="s", relative_margin=0.02),)
    found = analyse(run(rows, metrics=times, replicates="blocks"))
    mean = found.overall[0].standings[1].pooled
    assert mean is not None and mean.p is not None and mean.p < 1e-3 and mean.verdict is Verdict.EQUIVALENT
    assert "worse" not in Result(found).answer and "over 4 problems: equivalent: new" in Result(found).answer
    suite = standing(made(0.1, margin=0.2), "new").pooled
    assert suite is not None and suite.verdict is Verdict.EQUIVALENT
