"""A sampler that never asks for the variance and does not say so: five names of one row, and `bench check` says it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from scipy import stats  # type: ignore[import-untyped]

import harness
from harness.conformance.sampler.variance import variance
from harness.results import IssueKind, Run, Verdict

SILENT = '''
from typing import ClassVar

import harness


class Silent(harness.Sampler):
    """DDIM's deterministic steps, which add no noise."""

    def sample(self, model, covariance, x, times, noise, /):
        schedule = model.schedule
        for t, s in zip(times[:-1].tolist(), times[1:].tolist()):
            x0, eps = model.x0_and_eps(x, t)
            a = float(schedule.alpha_bar(times.new_tensor(s)))
            x = (a**0.5 * x0 + (1 - a) ** 0.5 * eps).to(x.dtype)
        return x


@harness.hookimpl
def components():
    return [Silent]
'''
SUITE = """
suite: unused
protocol: generation
plugins: [silent.py]
vary:
  denoiser: [ring8]
  sampler: [ddpm, silent]
  variance: [beta_tilde, beta, exact, sn, npr]
settings: {steps: 5, samples: 64}
seeds: 4
metrics: [sliced_wasserstein, energy_distance]
"""


def folder(tmp_path: Path, code: str = SILENT) -> Path:
    (tmp_path / "silent.py").write_text(code)
    return tmp_path


def measured(tmp_path: Path, baseline: str) -> Run:
    (folder(tmp_path) / "s.yaml").write_text(SUITE + baseline)
    return harness.run(tmp_path / "s.yaml", results=tmp_path / "r").run


@pytest.mark.verify
def test_the_rows_are_one_test_against_one_baseline_and_p_is_that_of_scipy(tmp_path: Path) -> None:
    """Nine comparisons with ddpm under beta_tilde: four of ddpm, and five of one row."""
    found = measured(tmp_path, "baseline: {sampler: ddpm, variance: beta_tilde}\n")
    rows = {(cell.vary["sampler"], cell.vary["variance"]): cell for cell in found.cells}
    silent = [row for (name, _), row in rows.items() if name == "silent"]
    assert len(silent) == 5 and len({row.metrics["sliced_wasserstein"].values for row in silent}) == 1
    compared = [cell.against["sliced_wasserstein"] for cell in found.cells if cell.against]
    assert len(compared) == 9 and {entry.family for entry in compared} == {5}
    assert len({row.against["sliced_wasserstein"].p_holm for row in silent}) == 1
    base = rows["ddpm", "beta_tilde"].metrics["sliced_wasserstein"].values
    ps = [stats.ttest_rel(r.metrics["sliced_wasserstein"].values, base).pvalue for r in (*rows.values(),) if r.against]
    least = min(ps)
    assert min(entry.p_holm or 1 for entry in compared) == pytest.approx(min(1, 5 * least))
    (issue,) = [each for each in found.notices if each.kind is IssueKind.SAME_ROWS]
    assert len(issue.rows) == 4 and issue.name == "silent / beta_tilde"


@pytest.mark.verify
def test_against_one_of_them_the_others_are_identical_and_no_test(tmp_path: Path) -> None:
    found = measured(tmp_path, "baseline: {variance: beta_tilde}\n")
    for cell in found.cells:
        entry = cell.against.get("sliced_wasserstein")
        if entry:
            assert entry.family == 4
            assert (entry.verdict is Verdict.IDENTICAL) == (cell.vary["sampler"] == "silent")


def check(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "harness", "check", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.mark.verify
def test_bench_check_says_that_it_never_uses_the_variance(tmp_path: Path) -> None:
    ended = check(folder(tmp_path) / "silent.py")
    assert ended.returncode == 1 and "never uses the variance" in ended.stdout, ended.stdout
    declared = SILENT.replace("deterministic steps, which add no noise.\"\"\"\n", (
        "deterministic steps, which add no noise.\"\"\"\n\n    unused_kinds: ClassVar = (\"variance\",)\n"))  # fmt: skip
    ended = check(folder(tmp_path, declared) / "silent.py")
    assert "variance: not used, as declared" in ended.stdout and "never uses" not in ended.stdout, ended.stdout


@pytest.mark.parametrize(
    "name", sorted({*harness.components("sampler")} - {"diffusers", "k_diffusion"})
)  # of libraries
def test_stock_samplers_declare_what_they_do_not_use(name: str) -> None:
    passed, said = variance(harness.component("sampler", name))
    assert passed, said


@pytest.mark.verify
def test_a_sampler_that_declares_it_and_asks_for_it_all_the_same_fails(tmp_path: Path) -> None:
    liar = SILENT.replace(
        "        schedule =", "        covariance and covariance(x, 500.0, 0.0, x)\n        schedule ="
    ).replace("    def sample(", '    unused_kinds: ClassVar = ("variance",)\n\n    def sample(')
    ended = check(folder(tmp_path, liar) / "silent.py")
    assert ended.returncode == 1 and "although `unused_kinds` has it" in ended.stdout, ended.stdout
