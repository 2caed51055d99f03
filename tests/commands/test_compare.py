"""Two stored runs compared: rows that meet, seeds that pair, what else has changed, what is only in one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.analysis import analyse
from harness.commands.changes import changes
from harness.commands.compare import Side, together
from harness.errors import BenchError
from harness.report.result import Result
from harness.report.words import issue
from harness.results import Comparison, MetricInfo, Run, Verdict
from harness.results.codec import from_json
from harness.statistics.paired import Sample
from harness.statistics.unpaired import unpaired
from tests.conftest import Bench
from tests.helpers.runs import row, run

rng = np.random.default_rng(5)
NOISE = rng.normal(0, 0.1, 40)
MOVE = -0.05 * (1 + 0.1 * rng.normal(0, 1, 40))
TIMES = (
    MetricInfo(label="m", higher_is_better=True),
    MetricInfo(label="moment", higher_is_better=False, unit="s"),
)


def stored(values: dict[str, Any], first: int = 0, **more: Any) -> Run:
    """The stored result of a run without a baseline: contender -> its values from seed `first` on, as `m` and `moment`."""
    rows = []
    for name, numbers in values.items():
        seeds = tuple(range(first, first + len(numbers)))
        metrics = {"m": numbers, "moment": numbers}
        rows.append(row(name, numbers, metrics=metrics, seeds=seeds))
    return from_json(json.loads(Result(analyse(run(rows, baseline=None, metrics=TIMES, **more))).to_json()))


def compared(before: Run, after: Run, folder: Path = Path("nowhere")) -> Run:
    return analyse(together(Side("before", before, folder), Side("after", after, folder)))


def entries(result: Run, metric: str = "m") -> dict[str, Comparison]:
    """Contender -> the comparison of its later row."""
    later = [cell for cell in result.cells if cell.vary["run"] == "after"]
    return {str(cell.vary["loss"]): cell.against[metric] for cell in later}


def issues(result: Run) -> list[str]:
    """The issues in words."""
    return [issue(each) for each in result.notices]


OLD = {"a": 1 + NOISE[:8], "b": 2 + NOISE[1:9], "gone": NOISE[:8]}
NEW = {"a": OLD["a"] + MOVE[:8], "b": OLD["b"] + MOVE[8:16], "come": NOISE[:8]}


def test_rows_meet_by_their_labels_and_seeds_pair() -> None:
    found = entries(compared(stored(OLD), stored(NEW)))
    assert list(found) == ["a", "b"]
    for name, entry in found.items():
        oracle = stats.ttest_rel(NEW[name], OLD[name])
        interval = oracle.confidence_interval()
        assert [entry.p, entry.low, entry.high] == pytest.approx([oracle.pvalue, interval.low, interval.high])
        assert (entry.verdict, entry.family, entry.baseline) == ("worse", 2, f"{name} / before")


def test_no_seed_pairs_times() -> None:
    result = compared(stored(OLD), stored(NEW))
    for name, entry in entries(result, "moment").items():
        oracle = stats.ttest_ind(NEW[name], OLD[name], equal_var=False)
        assert entry.p == pytest.approx(oracle.pvalue) and entry.verdict == "undecided"
    line = "times of two runs show a trend and prove nothing, the machine may have changed: moment"
    assert line in issues(result)


def test_seeds_of_one_run_alone_are_left_out_and_counted() -> None:
    longer = {name: [*values, 5.0, 6.0] for name, values in OLD.items()}
    found, without = (entries(compared(stored(before), stored(NEW))) for before in (longer, OLD))
    assert {name: replace(each, why=None) for name, each in found.items()} == without
    assert all(each.partial and each.why and (each.why.count, each.why.total) == (2, 10) for each in found.values())


def test_runs_without_a_common_seed_are_compared_without_pairs() -> None:
    found = entries(compared(stored(OLD, first=8), stored(NEW)))
    for name, entry in found.items():
        oracle = stats.ttest_ind(NEW[name], OLD[name], equal_var=False)
        assert entry.p == pytest.approx(oracle.pvalue)


def test_what_is_only_in_one_run_is_said() -> None:
    told = issues(compared(stored(OLD), stored(NEW)))
    assert "only before: gone" in told and "only after: come" in told


def test_the_same_run_twice_has_changed_nothing() -> None:
    result = compared(stored(OLD), stored(OLD))
    assert {entry.verdict for entry in entries(result).values()} == {Verdict.IDENTICAL}
    assert [line for line in issues(result) if "times" not in line] == ["the same numbers in both runs: a, b, gone"]


def test_what_else_has_changed_is_said() -> None:
    surroundings = {"machine": "x86_64", "torch": "2.6.0", "plugins": {"mine": "aa", "kept": "cc"}}
    before = stored(OLD, protocol_version=1, environment=surroundings)
    later = {**surroundings, "machine": "arm64", "plugins": {"kept": "cc"}}
    after = stored(NEW, protocol_version=2, environment=later)
    after = replace(after, cells=(replace(after.cells[0], id="another"), *after.cells[1:]))
    told = issues(compared(before, after))
    assert told[:4] == [
        "machine: x86_64 before, arm64 after",
        "plugins.mine: aa before, none after",
        "version of accuracy: 1 before, 2 after",
        "measured by other code, or with other parameters or settings: a",
    ]


def test_metrics_of_one_run_alone_are_said() -> None:
    both = stored(OLD)
    one = replace(both, metrics=both.metrics[:1])
    assert "measured only before: moment" in map(issue, changes(both, one, []))
    assert "measured only after: moment" in map(issue, changes(one, both, []))
    assert [metric.label for metric in compared(both, one).metrics] == ["m"]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"protocol": "generation"}, "nothing to compare: the protocols are accuracy and generation"),
        ({"metrics": (MetricInfo(label="x", higher_is_better=None),)}, "nothing to compare: no metric is in both r and s"),
        ({"cells": ()}, "nothing to compare: no row is in both r and s"),
    ],
)  # fmt: skip
def test_what_has_nothing_in_common_is_a_mistake(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(BenchError, match=f"^{line}$"):
        compared(stored(OLD), replace(stored(OLD), run="s", **changed))


def test_what_is_no_whole_result_is_not_read() -> None:
    whole = json.loads(Result(stored(OLD)).to_json())
    for key in ("suite", "question", "run", "protocol"):
        with pytest.raises(BenchError, match=f"^not the JSON of a result: .*{key}"):
            from_json({name: value for name, value in whole.items() if name != key})


SHAKEN = '''
"""A loss that learns something between two runs."""

from harness import Loss, hookimpl


class Shaken(Loss):
    """The seed's number, moved."""

    def __call__(self, seeds, case):
        return [seed % 5 + MOVED * (1 + seed % 3) for seed in seeds]


@hookimpl
def components():
    return [Shaken]
'''


@pytest.mark.verify
def test_the_command_compares_what_it_has_stored(bench: Bench) -> None:
    bench.suite("[good, shaken]", plugins="[shaken.py, noop.py]")
    for moved in ("0.0", "-0.1"):
        bench.write("shaken.py", SHAKEN.replace("MOVED", moved))
        assert bench("s.yaml", "--device", "cpu", "-q").code == 0
    ended = bench("compare", "last~1", "last")
    assert (ended.code, ended.err) == (0, "")
    rows = [line.split("  ")[0] for line in ended.out.splitlines() if line.startswith(("good", "shaken"))]
    assert [*dict.fromkeys(rows)] == ["good / before", "good / after", "shaken / before", "shaken / after"]
    text = " ".join(ended.out.replace("│", " ").split())
    assert "In score, each against its own baseline: worse: shaken / after -0.188 (" in text and "★" not in text
    for line in ("plugins.shaken: ", "settings: shaken", "the same numbers in both runs: good"):
        assert line in text
    before, after = sorted(path.name for path in (bench.folder / "results" / "runs").iterdir())
    result = bench("compare", f"results/runs/{before}", f"results/runs/{after}/result.json", "--format", "json").json
    assert (result["run"], result["exit"]) == (f"{before}..{after}", 0)
    assert all(cell["best"] == {} for cell in result["cells"])
    failed = bench("compare", "last~1", "last", "--fail-on", "regression", "--format", "json")
    assert failed.code == failed.json["exit"] == 1
    assert failed.lines == ["bench: regression: shaken / after is worse than shaken / before in score"]
    assert bench("compare", "last", "last~1", "--fail-on", "regression").code == 0


@pytest.mark.verify
def test_results_per_example_carry_their_doubt_too(bench: Bench) -> None:
    keys = "seeds: 4\nsettings: {epochs: 2}\nmetrics: [accuracy]\n"
    bench.write("iris.yaml", f"protocol: accuracy\n{keys}vary: {{dataset: iris, loss: [cross_entropy, hinge]}}\n")
    ended = bench("iris.yaml", "--device", "cpu", "--json", "-")
    given = from_json(ended.json)
    found = compared(given, given, bench.folder / "results")
    assert [cell.metrics for cell in found.cells[1::2]] == [cell.metrics for cell in given.cells]
    assert {cell.metrics["accuracy"].interval for cell in found.cells} == {"both"}
    elsewhere = compared(given, given)
    assert {cell.metrics["accuracy"].interval for cell in elsewhere.cells} == {"seeds"}


@pytest.mark.parametrize("sizes", [(2, 2), (3, 9), (20, 4)])
def test_unpaired_is_the_test_of_welch(sizes: tuple[int, int]) -> None:
    x, y = rng.normal(1, 2, sizes[0]), rng.normal(0, 0.3, sizes[1])
    oracle = stats.ttest_ind(x, y, equal_var=False)
    interval = oracle.confidence_interval(0.9)
    found = unpaired(Sample([*x, math.nan]), Sample([math.inf, *y, math.nan]), 0.9)
    numbers = [found.difference, found.p, found.df, found.low, found.high]
    assert numbers == pytest.approx([x.mean() - y.mean(), oracle.pvalue, oracle.df, interval.low, interval.high])
    assert (found.pairs, found.dropped, found.kind) == (min(sizes), 3, "seeds")


def test_unpaired_constants_are_told_apart_by_their_order_alone() -> None:
    """Of all 70 ways to share out eight values two have the greatest difference."""
    found = unpaired(Sample([2.0] * 4), Sample([1.0] * 4))
    oracle = stats.permutation_test(([2.0] * 4, [1.0] * 4), lambda a, b: np.mean(a) - np.mean(b))
    assert found.p == pytest.approx(oracle.pvalue) == pytest.approx(2 / 70)
    assert (found.low, found.high) == (1.0, 1.0)
    few = unpaired(Sample([2.0] * 2), Sample([1.0] * 2))
    assert few.p == pytest.approx(1 / 3) and math.isnan(few.low)
    assert unpaired(Sample([1.0] * 2), Sample([1.0] * 3)).p == 1


@pytest.mark.parametrize("values", [[], [1.0], [math.nan, 1.0]])
def test_one_value_has_no_spread(values: list[float]) -> None:
    found = unpaired(Sample(values), Sample([1.0, 2.0]))
    assert found.p is None and math.isnan(found.low)
