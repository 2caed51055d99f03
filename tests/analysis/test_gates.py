"""Gates: kept or broken exactly where an interval computed elsewhere says so, confirmed afresh, told in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from harness.analysis import analyse as concluded
from harness.report import render
from harness.report.gates import broken, lines
from harness.report.words import reason
from harness.results import GateRule, MeasuredRow, MeasuredRun, Run, Status
from harness.run.retest import confirmed
from tests.conftest import ROOT, Bench
from tests.helpers.analysis import analyse
from tests.helpers.runs import lost, row, run

SEEDS = 12
rng = np.random.default_rng(7)
OLD = rng.normal(0.9, 0.02, SEEDS)
NEW = OLD - 0.03 + rng.normal(0, 0.01, SEEDS)


def gate(rule: str, bound: float, relative: bool = False, confirm_runs: int = 0) -> GateRule:
    return GateRule(metric="m", rule=rule, bound=float(bound), relative=relative, confirm_runs=confirm_runs)


def passed(run: MeasuredRun) -> list[bool | None]:
    return [outcome["passed"] for outcome in analyse(run)["gates"]]


def worse_by(higher_is_better: bool) -> tuple[float, float]:
    """The 95 % interval of how much worse the new one is, by scipy's paired test."""
    one, other = (OLD, NEW) if higher_is_better else (NEW, OLD)
    found = stats.ttest_rel(one, other).confidence_interval(0.95)
    return float(found.low), float(found.high)


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_a_regression_is_proven_where_the_whole_interval_is_beyond_the_bound(
    higher_is_better: bool, relative: bool
) -> None:
    old, new = (OLD, NEW) if higher_is_better else (NEW, OLD)
    low, high = worse_by(True)
    unit = abs(old.mean()) if relative else 1.0
    bounds = [0.0, 0.999 * low / unit, 1.001 * low / unit, high / unit]
    found = analyse(
        run([row("old", old), row("new", new)], [gate("max_regression", b, relative) for b in bounds], higher_is_better)
    )
    assert [each["passed"] for each in found["gates"]] == [False, False, True, True]
    for each in found["gates"]:
        assert each["baseline"] == "old" and each["vary"]["loss"] == "new"
        assert [each["value"], each["low"], each["high"]] == pytest.approx(
            [(OLD - NEW).mean() / unit, low / unit, high / unit]
        )


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_non_inferiority_is_shown_where_no_part_of_the_interval_is_beyond(higher_is_better: bool) -> None:
    old, new = (OLD, NEW) if higher_is_better else (NEW, OLD)
    low, high = worse_by(True)
    gates = [gate("non_inferior_by", bound) for bound in (0.0, low, 0.999 * high, 1.001 * high)]
    assert passed(run([row("old", old), row("new", new)], gates, higher_is_better)) == [False, False, False, True]
    assert passed(run([row("old", new), row("new", old)], gates, higher_is_better)) == [True] * 4  # it is better


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("pair", [(OLD, NEW), (NEW, OLD)])
def test_a_change_is_proven_in_either_direction(pair: tuple[np.ndarray, np.ndarray], higher_is_better: bool) -> None:
    low, high = worse_by(True)
    gates = [gate("max_change", bound) for bound in (0.0, 0.999 * low, 1.001 * low, high)]
    found = run([row("old", pair[0]), row("new", pair[1])], gates, higher_is_better)
    assert passed(found) == [False, False, True, True]


def test_noise_is_no_regression_and_shows_nothing() -> None:
    noisy = run([row("old", OLD), row("new", OLD + rng.normal(0, 0.1, SEEDS))], [])
    gates = (gate("max_regression", 0), gate("non_inferior_by", 0.002))
    assert passed(dataclasses.replace(noisy, gates=gates)) == [True, False]


def test_a_regression_is_proven_among_all_that_are_compared() -> None:
    """p = 0.02 alone is proven; beside nineteen equal rows it is what one of them has by chance."""
    wobble = np.tile([-1.0, 1.0], SEEDS // 2) * 0.01
    p = 0.02
    shift = stats.t.isf(p / 2, SEEDS - 1) * wobble.std(ddof=1) / SEEDS**0.5
    rows = [row("old", OLD), row("new", OLD - shift + wobble)]
    assert stats.ttest_rel(OLD, OLD - shift + wobble).pvalue == pytest.approx(p)
    assert passed(run(rows, [gate("max_regression", 0)])) == [False]
    others = [row(f"other{k}", OLD + np.roll(wobble, k)) for k in range(19)]
    assert set(passed(run([*rows, *others], [gate("max_regression", 0)]))) == {True}


def test_bounds_hold_the_mean_of_every_row() -> None:
    rows = [row("old", [1.0, 3.0]), row("new", [1.0, 2.0])]
    gates = [gate("max", 2), gate("max", 1.9), gate("min", 1.5), gate("min", 1.6)]
    assert passed(run(rows, gates)) == [True, True, False, True, True, True, True, False]


def test_a_seed_without_a_finite_value_keeps_no_bound() -> None:
    rows = [row("old", [1.0] * 3), row("new", [1.0, None, 1.0])]
    found = analyse(run(rows, [gate("max", 5), gate("min", 0), gate("non_inferior_by", 5)]))["gates"]
    assert [each["passed"] for each in found] == [True, False, True, False, False]
    assert "1 of 3 seeds" in found[1]["reason"]


@pytest.mark.parametrize(
    ("rows", "expected", "why"),
    [
        ([row("old", [0.5]), row("new", [0.1])], [None, False], "one seed says nothing about other seeds"),
        ([row("new", OLD)], [None, False], "no row of this problem is old"),
        ([row("old", OLD), row("new", OLD, metrics={})], [None, None], "the row has no m"),
        ([row("old", OLD), lost("new", Status.CRASHED, "signal 9")], [None, None], "crashed: signal 9"),
        ([row("old", OLD), lost("new", Status.SKIPPED, "impossible")], [], None),
        ([row("old", OLD)], [], None),
    ],
)
def test_what_cannot_be_told_is_no_regression_and_shows_nothing(
    rows: list[MeasuredRow], expected: list[bool | None], why: str | None
) -> None:
    whole = run(rows, [gate("max_regression", 0), gate("non_inferior_by", 1)])
    whole = dataclasses.replace(whole, axes={**whole.axes, "loss": ["old", "new"]})
    found = analyse(whole)["gates"]
    assert [each["passed"] for each in found] == expected
    assert {each["reason"] for each in found} == ({why} if why else set())


def test_a_percentage_of_nothing_is_said() -> None:
    rows = [row("old", [-1.0, 1.0, 0.0]), row("new", [-2.0, 0.0, -1.5])]
    found = analyse(
        run(rows, [gate("max_regression", 0.05, relative=True), gate("non_inferior_by", 0.05, relative=True)])
    )
    assert [each["passed"] for each in found["gates"]] == [None, False]
    assert {each["reason"] for each in found["gates"]} == {"there are no percentages of a baseline's mean of 0"}


REGRESSED = [row(loss, v, d) for d in ("digits", "wine") for loss, v in (("old", OLD), ("new", NEW), ("other", OLD))]


def again(answers: Sequence[Sequence[float]], asked: list[tuple[list[int], int]]) -> Callable[..., Run]:
    """Fresh measurements of `new` that come out as said, one after the other."""

    def measure(places: Sequence[int], time: int) -> Run:
        asked.append((list(places), time))
        values = answers[time - 1]
        rows = [REGRESSED[place] for place in places]
        rows = [row("new", values, str(r.vary["dataset"])) if r.vary["loss"] == "new" else r for r in rows]
        return concluded(run(rows, [gate("max_regression", 0, confirm_runs=2)]))

    return measure


def test_a_regression_fails_where_every_fresh_measurement_agrees() -> None:
    asked: list[tuple[list[int], int]] = []
    found = confirmed(
        concluded(run(REGRESSED[:3], [gate("max_regression", 0, confirm_runs=2)])), again([NEW, NEW], asked)
    )
    assert asked == [([0, 1, 2], 1), ([0, 1, 2], 2)]
    assert [(each.passed, each.confirmed) for each in found] == [(False, 2), (True, 0)]


def test_one_fresh_measurement_that_disagrees_is_enough() -> None:
    asked: list[tuple[list[int], int]] = []
    found = confirmed(
        concluded(run(REGRESSED[:3], [gate("max_regression", 0, confirm_runs=2)])), again([OLD, NEW], asked)
    )
    assert asked == [([0, 1, 2], 1)]
    assert found[0].passed is True and found[0].why is not None and "not proven" in reason(found[0].why)


def test_only_the_problems_in_doubt_are_measured_again() -> None:
    rows = [*REGRESSED[:3], row("old", OLD, "wine"), row("new", OLD, "wine"), row("other", NEW, "wine")]
    rows = [rows[0], row("new", OLD), rows[2], *rows[3:]]
    asked: list[tuple[list[int], int]] = []
    result = concluded(run(rows, [gate("max_regression", 0, confirm_runs=1), gate("max", 0.1)]))
    confirmed(result, again([NEW], asked))
    assert asked == [([3, 4, 5], 1)]


def test_without_confirm_nothing_is_measured_again() -> None:
    result = concluded(run(REGRESSED, [gate("max_regression", 0)]))
    assert confirmed(result, again([], [])) == result.gates


def test_a_baseline_in_another_problem_is_measured_again_too() -> None:
    result = concluded(
        run(REGRESSED, [gate("max_regression", 0, confirm_runs=1)], baseline={"loss": "old"}, group_by=["loss"])
    )
    asked: list[tuple[list[int], int]] = []
    confirmed(result, again([NEW], asked))
    assert asked == [([0, 1, 3, 4], 1)]


def test_the_report_names_gate_row_and_size() -> None:
    result = concluded(run(REGRESSED[:3], [gate("max_regression", 0.01, relative=True), gate("max", 0.89)]))
    (low, high), old, mean = worse_by(True), OLD.mean(), (OLD - NEW).mean()
    size = f"{100 * mean / old:.3g} % worse than old (95 %: {100 * low / old:.3g} % to {100 * high / old:.3g} %)"
    found = list(lines(result))
    assert found == [
        (False, f"m max_regression 1 %: new is {size}"),
        (True, "m max_regression 1 %: other is 0 % worse than old (95 %: 0 % to 0 %)"),
        (False, f"m max 0.89: old has {old:.3g}"),
        (False, f"m max 0.89: other has {old:.3g}"),
        (True, f"m max 0.89: new has {NEW.mean():.3g}"),
    ]
    assert broken(result) == [line for kept, line in found if kept is False]
    report = " ".join(render(result, "console", 200).split())
    assert all(f"{'✓' if kept else '✗'} {line}" in report for kept, line in found)


@pytest.mark.parametrize("rule", ["max_regression", "max_change"])
def test_a_value_beyond_its_bound_without_a_proof_is_no_check_mark(rule: str) -> None:
    low, _ = worse_by(True)
    bound = round((low + (OLD - NEW).mean()) / 2, 4)  # within the interval, below the value
    rows = [*REGRESSED[:3], *(row(f"same{k}", OLD) for k in range(4))]
    result = concluded(run(rows, [gate(rule, bound)]))
    signs = dict(lines(result))
    assert signs[None].startswith(f"m {rule} {bound:.3g}: new is ") and "95 %" in signs[None]
    assert signs[None].endswith(f"; more than {bound:.3g} is not proven") and "new " not in signs[True]
    assert broken(result) == [] and result.exit == 0


@pytest.mark.parametrize(("rule", "bound", "nearest"), [("max", 2, "new7 has 1.7"), ("min", 0, "old has 1")])
def test_of_many_rows_that_keep_a_gate_the_nearest_is_named(rule: str, bound: float, nearest: str) -> None:
    rows = [row("old", [1.0, 1.0]), *(row(f"new{k}", [1 + k / 10] * 2) for k in range(1, 8)), row("lost", [3.0, None])]
    found = list(lines(concluded(run(rows, [gate(rule, bound)]))))
    assert found[1:] == [(True, f"m {rule} {bound}: kept by 8 rows, nearest {nearest}")]
    assert found[0][0] is False and "lost has 3; 1 of 2 seeds" in found[0][1]


LUCK = '''
"""A loss whose first process of all is slow; an interleaved protocol, as timing is."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from harness import CellRunner, Loss, Measurements, Protocol, hookimpl


class Timed(Protocol):
    """Asks the loss for a number per seed."""

    required_kinds: ClassVar[Mapping[str, Any]] = {"loss": None}
    compared_kinds: ClassVar = ("loss",)
    metric_inputs: ClassVar = ("number",)
    interleaved: ClassVar[bool] = True

    def setup(self, case):
        return Turns(case)


class Turns(CellRunner):
    """One seed after the other."""

    def __init__(self, case):
        self.case, self.unlucky = case, case.components["loss"].starts()

    def measure(self, seeds, tuned):
        loss = self.case.components["loss"]
        numbers = [loss.number(self.unlucky) + seed % 3 / 100 + 1e-3 * loss.of * (seed % 5) for seed in seeds]
        return Measurements(seeds=list(seeds), metrics=dict.fromkeys(self.case.metrics, numbers))


class Lucky(Loss):
    """Lower by `of` in a process that has bad luck: the first few."""

    of: int = 0
    times: int = 0

    def __call__(self, logits, target):
        raise NotImplementedError

    def starts(self):
        """Whether this process is among the first `times` of its contender."""
        with open(os.environ["STARTS"] + str(self.of), "a+") as stream:
            stream.write("x")
            stream.seek(0)
            return len(stream.read()) <= self.times

    def number(self, unlucky):
        return 1.0 - self.of * unlucky


@hookimpl
def components():
    return [Timed, Lucky]
'''


@pytest.mark.verify
@pytest.mark.parametrize(("times", "code", "processes"), [(1, 0, 2), (3, 1, 3)])
def test_a_run_confirms_in_fresh_processes(bench: Bench, times: int, code: int, processes: int) -> None:
    bench.write("luck.py", LUCK)
    gates = "{score: {max_regression: 5%, confirm_runs: 2}}"
    bench.suite(
        f"[{{lucky: {{}}}}, {{lucky: {{of: 1, times: {times}}}}}]", protocol="timed", baseline="lucky",
        plugins="[luck.py, noop.py]", gates=gates,
    )  # fmt: skip
    ended = bench("s.yaml", "--device", "cpu", "--json", "-", env={"STARTS": str(bench.folder / "starts")})
    assert (ended.code, ended.json["exit"]) == (code, code), ended.err
    assert (bench.folder / "starts1").read_text() == "x" * processes == (bench.folder / "starts0").read_text()
    (outcome,) = ended.json["gates"]
    assert (outcome["passed"], outcome["confirmed"]) == (code == 0, 2 if code else 0)
    told = [line for line in ended.lines if line.startswith("bench: gate: ")]
    assert len(told) == code and all("confirmed by 2 fresh measurements" in line for line in told)
    assert bench("report", "last", "--format", "json").json == ended.json
    assert bench("report", "last~1").code == 2, "a fresh measurement is no run of its own"


@pytest.mark.verify
def test_a_broken_gate_is_1_and_a_kept_one_is_0(bench: Bench) -> None:
    bench.suite(gates="{score: {max: 1.5, max_regression: 5%}}")
    ended = bench("s.yaml", "--device", "cpu", "-q")
    assert ended.code == 1
    assert ended.lines == ["bench: gate: score max 1.5: good(value=2.0) has 2.03"]
    assert bench("s.yaml", "--device", "cpu", "--set", "gates.score.max=2.5").code == 0


@pytest.mark.verify
def test_a_failed_row_comes_first(bench: Bench) -> None:
    bench.suite("[good, {bad: {how: raise}}]", gates="{score: {max: 1}}")
    assert bench("s.yaml", "--device", "cpu").code == 3


@pytest.mark.verify
def test_a_slow_down_is_confirmed_in_fresh_processes(bench: Bench) -> None:
    """Two of one work and one of twice as much, timed by the protocol itself: the second alone breaks the gate."""
    text = f"protocol: speed\nplugins: [{ROOT / 'tests' / 'helpers' / 'spin.py'}]\nseeds: 100\nmetrics: seconds\n"
    text += "vary: {transform: [spin, {spin: {rounds: [1001, 2000]}}]}\nsettings: {n: 10, batch: 1, budget: 1}\n"
    text += "baseline: spin\ngates: {seconds: {max_regression: 40%, confirm_runs: 2}}\n"
    ended = bench(bench.write("speed.yaml", text), "--trust", "--json", "-", timeout=120)
    assert ended.code == 1, ended.err
    same, slow = ended.json["gates"]
    assert (same["passed"], slow["passed"], slow["confirmed"]) == (True, False, 2)
    assert ended.err.count("confirmed by 2 fresh measurements") == 1
