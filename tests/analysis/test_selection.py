"""Rows that were left out: the corrections are those of the whole suite, or never smaller."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
import harness.analysis
from harness.errors import BenchError
from harness.report import render
from harness.results import (
    ClaimForm,
    ClaimKind,
    ClaimRule,
    Comparison,
    MeasuredRow,
    MeasuredRun,
    Reason,
    ReasonKind,
    Run,
    Status,
)
from harness.statistics.paired import holm
from tests.helpers.runs import row, run

STRENGTH = {None: 0, "undecided": 1, "equivalent": 2, "better": 2, "worse": 2, "identical": 3}
DATASETS, LOSSES = ("a", "b", "c", "d"), ("old", "new", "other")


def test_unknown_p_values_count_as_one_which_is_the_largest_that_any_of_them_can_do() -> None:
    """Brute force: over every choice of unknown p-values, no adjusted p is above the bound, and the bound is reached."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        known, unknown = (rng.random(n) ** 3 for n in rng.integers(1, 5, 2))
        bound = holm(list(known), len(unknown))
        worst = holm([*known, *np.ones(len(unknown))])[: len(known)]
        assert bound == pytest.approx(worst)
        for others in (unknown, unknown * known.min(), np.full(len(unknown), rng.choice(known)), unknown * 0):
            every = holm([*known, *others])[: len(known)]
            assert all(one <= most + 1e-15 for one, most in zip(every, bound, strict=True) if one and most)


def suite(**more: Any) -> MeasuredRun:
    rng = np.random.default_rng(1)
    rows = []
    for dataset in DATASETS:
        base = rng.random(6)
        shifts = {"old": 0.0, "new": 0.04 * rng.random(), "other": 0.0}
        rows += [row(name, base + shift + rng.normal(0, 0.01, 6), dataset) for name, shift in shifts.items()]
    return run(rows, **more)


def selected(whole: MeasuredRun, keep: set[int], stored: bool) -> Run:
    gone = [each for place, each in enumerate(whole.cells) if place not in keep]
    rows = tuple(each if stored else unstored(each) for each in gone)
    chosen = tuple(each for place, each in enumerate(whole.cells) if place in keep)
    return harness.analysis.analyse(dataclasses.replace(whole, cells=chosen, left_out=rows))


def unstored(each: MeasuredRow) -> MeasuredRow:
    why = Reason(ReasonKind.LEFT_OUT)
    return dataclasses.replace(each, status=Status.SKIPPED, why=why, values={}, seeds=())


def entries(found: Run) -> dict[str, tuple[Comparison | None, Any]]:
    return {cell.id: (cell.against.get("m"), cell.best.get("m")) for cell in found.cells}


@pytest.mark.parametrize("keep", [{0, 1, 2}, {1}, {4, 7, 10}, {3, 4}, {2, 11}], ids=str)
@pytest.mark.parametrize("margin", [None, 0.02])
def test_with_stored_rows_every_number_is_that_of_the_whole_suite(keep: set[int], margin: float | None) -> None:
    whole = suite(margin=margin)
    every, some = entries(harness.analysis.analyse(whole)), entries(selected(whole, keep, stored=True))
    assert len(some) == len(keep) and some == {name: every[name] for name in some}


@pytest.mark.parametrize("keep", [{0, 1, 2}, {0, 1}, {3, 4, 9, 10}], ids=str)
@pytest.mark.parametrize("margin", [None, 0.02])
def test_without_them_no_verdict_is_stronger(keep: set[int], margin: float | None) -> None:
    whole = suite(margin=margin)
    every, some = entries(harness.analysis.analyse(whole)), entries(selected(whole, keep, stored=False))
    for name, (entry, _) in some.items():
        before = every[name][0]
        if entry is not None and before is not None:
            assert entry.p_holm is not None and before.p_holm is not None and entry.family == 8
            assert entry.p == before.p and entry.p_holm >= before.p_holm
            assert STRENGTH[entry.verdict] <= STRENGTH[before.verdict]


def test_a_baseline_that_is_left_out_and_not_stored_is_named_as_the_reason() -> None:
    found = selected(suite(), {1, 2}, stored=False).cells[0].against["m"]
    assert found.verdict is None and found.why == Reason(ReasonKind.LEFT_OUT)


@pytest.mark.parametrize(
    ("keep", "stored", "line"),
    [
        ({0, 1, 2, 3, 4, 5}, True, "2 of 4 problems left out of this run; corrected for all 8 comparisons"),
        ({0, 1}, True, "10 of 12 rows left out of this run; corrected for all 8 comparisons"),
        ({0, 1, 2}, False, "corrected for all 8 comparisons, of which 6 are not stored and count with p = 1"),
    ],
)
def test_the_report_says_what_was_left_out(keep: set[int], stored: bool, line: str) -> None:
    found = selected(suite(), keep, stored)
    assert line in " ".join(render(found, "console").split()) and line in render(found, "json")
    assert "left out" not in render(harness.analysis.analyse(suite()), "console")


def test_claims_are_corrected_for_all_pairs_and_only_those_of_the_run_are_shown() -> None:
    points = tuple({"loss": name} for name in ("new", "old", "other"))
    claim = ClaimRule(kind=ClaimKind.EXPECTED, source="x", form=ClaimForm.ORDER, metric="m", points=points)
    whole = suite(claims=(claim,))
    every, some = harness.analysis.analyse(whole), selected(whole, {0, 1, 2}, stored=True)
    before = [test for test in every.claims[0].tests if test.problem["dataset"] == "a"]
    assert list(some.claims[0].tests) == before and len(before) == 3 < len(every.claims[0].tests)


SUITE = """
suite: selection
protocol: generation
vary:
  denoiser: [ring8, {gaussian: {mean: 1.0, variance: 0.25}}]
  sampler: [ddpm, ddim, dpm_solver_pp, iid]
settings: {steps: [5, 10], samples: 64}
seeds: 4
metrics: [sliced_wasserstein]
baseline: ddpm
"""


@pytest.mark.verify
def test_a_selection_of_a_suite_before_and_after_the_whole_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(SUITE)
    alone, whole, after, other = (
        {str(each.row.vary): each for each in harness.run(file, select=select, results=tmp_path / "r").comparisons}
        for select in ("ring8 and 5", None, "ring8 and 5", "dpm_solver_pp")
    )
    assert len(whole) == 12 and len(alone) == 3 and len(other) == 4
    assert {each.family for found in (alone, whole, after, other) for each in found.values()} == {8}
    for name, entry in (*after.items(), *other.items()):
        assert (entry.p, entry.p_holm, entry.verdict) == (whole[name].p, whole[name].p_holm, whole[name].verdict)
    for name, entry in alone.items():
        assert (entry.p_holm or 0) >= (whole[name].p_holm or 0)
    with pytest.raises(BenchError, match="selects none of 16 cells"):
        harness.run(file, select="nothing", results=tmp_path / "r")


TIMED = """
protocol: speed
vary: {transform: [softmax, sparsemax], }
settings: {n: [4, 8], budget: 0.05}
seeds: 4
metrics: seconds
baseline: softmax
"""


@pytest.mark.verify
def test_times_of_two_runs_are_never_compared(tmp_path: Path) -> None:
    """A problem stored whole is used whole; one of which another part is measured again leaves its rest unknown."""
    file = tmp_path / "s.yaml"
    file.write_text(TIMED)
    whole = harness.run(file, results=tmp_path / "r")
    again = harness.run(file, select="sparsemax and 4", results=tmp_path / "r")
    (entry,) = again.comparisons
    assert entry == next(each for each in whole.comparisons if each.row.vary == entry.row.vary)
    fresh = harness.run(file, select="sparsemax and 4", results=tmp_path / "other")
    assert [(each.verdict, each.why.kind if each.why else None) for each in fresh.comparisons] == [
        (None, ReasonKind.LEFT_OUT)
    ]
