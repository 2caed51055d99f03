"""Both ways between suites that time and pytest-benchmark; the contract with the classes of it that are internal."""

from __future__ import annotations

import csv
import inspect
import json
import os
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.stats import Metadata, Stats

from harness.errors import BenchError
from harness.report import render
from harness.results import IntervalKind, MetricInfo, MetricValue, Row, Run


def timed(name: str, values: tuple[float | None, ...]) -> Row:
    """A row with a time for every block."""
    about: dict[str, Any] = {"interval": IntervalKind.SEEDS, "higher_is_better": False, "unit": "s"}
    return Row(
        id=name,
        vary={"loss": name},
        seeds=(0, 1, 2),
        metrics={"seconds": MetricValue(values=values, mean=1.0, low=None, high=None, **about)},
    )


RESULT = Run(
    suite="speed",
    question="?",
    run="r",
    protocol="speed",
    environment={"python": "3", "commit": None},
    baseline="a",
    metrics=(MetricInfo(label="seconds", higher_is_better=False, unit="s"),),
    axes={"loss": ["a", "b"]},
    contenders=("loss",),
    cells=(timed("a", (0.1, 0.2, 0.15)), timed("b", (0.3, None, 0.35))),
)


def alone() -> dict[str, str]:
    """The environment of a pytest that no other one started: in a worker it would think itself distributed."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def test_the_classes_that_are_internal_to_pytest_benchmark_are_as_they_were() -> None:
    assert list(inspect.signature(Metadata.__init__).parameters) == ["self", "fixture", "iterations", "options"]
    assert {"min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "ops"} <= set(Stats.fields)
    one = Stats()
    one.update(2.0)
    assert one.as_dict()["median"] == 2.0


def test_a_run_is_a_file_that_pytest_benchmark_compares(tmp_path: Path) -> None:
    (tmp_path / "0001_run.json").write_text(render(RESULT, "pytest-benchmark"))
    said = json.loads((tmp_path / "0001_run.json").read_text())
    assert [each["stats"]["rounds"] for each in said["benchmarks"]] == [3, 2]
    assert said["benchmarks"][0]["stats"]["mean"] == pytest.approx(statistics.mean([0.1, 0.2, 0.15]))
    command = [
        sys.executable,
        "-c",
        "from pytest_benchmark.cli import main; main()",
        "compare",
        str(tmp_path / "0001_run.json"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert ended.returncode == 0 and "Rounds" in ended.stdout
    assert all(f"\n{name} " in ended.stdout for name in "ab"), ended.stdout


def test_a_run_without_times_has_nothing_for_it() -> None:
    with pytest.raises(BenchError, match="no metric of this run is in seconds"):
        accuracy = MetricInfo(label="accuracy", higher_is_better=True)
        render(replace(RESULT, metrics=(accuracy,), cells=()), "pytest-benchmark")


SUITE = """
protocol: speed
vary: {transform: [softmax, {"torch.nn:Softmax": {dim: -1}, as: torch}]}
settings: {budget: 0.05}
seeds: 4
metrics: seconds
baseline: softmax
"""


@pytest.mark.verify
def test_pytest_collects_a_suite_that_times_and_no_other_yaml(tmp_path: Path) -> None:
    (tmp_path / "speed.yaml").write_text(SUITE)
    (tmp_path / "foreign.yaml").write_text("services: {web: {image: nginx}}\n")
    words = [
        "-p",
        "no:cacheprovider",
        "--benchmark-only",
        "--benchmark-json",
        "out.json",
    ]
    command = [sys.executable, "-m", "pytest", "-q", *words, "speed.yaml"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=alone(), timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {each["name"] for each in json.loads((tmp_path / "out.json").read_text())["benchmarks"]} == {
        "softmax",
        "torch",
    }
    for left_alone in (["foreign.yaml"], ["."]):
        words = [*command[:-1], *left_alone]
        nothing = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=alone(), timeout=60)
        assert nothing.returncode in (4, 5), nothing.stdout


def test_params_are_the_axes_of_a_row_by_which_the_library_groups(tmp_path: Path) -> None:
    rows = [
        replace(timed(f"{name}{n}", (0.1 * n, 0.2 * n, 0.15 * n)), vary={"transform": name, "n": n, "variance": None})
        for name in ("softmax", "sparsemax")
        for n in (1, 2)
    ]
    axes: dict[str, Any] = {"transform": ["softmax", "sparsemax"], "n": [1, 2], "variance": ["x"]}
    run = replace(RESULT, cells=tuple(rows), axes=axes, contenders=("transform",), baseline=None)
    (tmp_path / "0001_run.json").write_text(render(run, "pytest-benchmark"))
    command = [sys.executable, "-c", "from pytest_benchmark.cli import main; main()", "compare", "0001_run.json"]
    for by, groups in (("param:transform", 2), ("param:n,param:transform", 4), ("param:variance", 1)):
        words = [*command, "--csv=out.csv", f"--group-by={by}"]
        ended = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=60)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.count("benchmark '") == groups, ended.stdout
        with (tmp_path / "out.csv").open() as stream:
            found = list(csv.DictReader(stream))
        assert {(row["param:transform"], row["param:n"]) for row in found} == {
            (name, n) for name in axes["transform"] for n in ("1", "2")
        }


def pytest_on(folder: Path, suite: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a suite as a user does."""
    (folder / "speed.yaml").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "speed.yaml", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=alone(), timeout=300)


@pytest.mark.verify
def test_a_broken_gate_and_a_row_that_fails_fail_the_test(tmp_path: Path) -> None:
    gated = pytest_on(tmp_path, SUITE + "gates: {seconds: {max: 1.0e-12}}\n", "--benchmark-only")
    assert gated.returncode == 1 and "1 failed" in gated.stdout, gated.stdout
    assert "gate: seconds max 1e-12 s: softmax has" in gated.stdout
    kept = pytest_on(tmp_path, SUITE + "gates: {seconds: {max: 1000}}\n", "--benchmark-only")
    assert kept.returncode == 0 and "1 passed" in kept.stdout, kept.stdout
    (tmp_path / "mine.py").write_text(
        "import harness\n\n"
        "class Broken(harness.Transform):\n"
        '    """Fails."""\n\n'
        "    def __call__(self, logits):\n"
        "        raise ValueError('no such thing')\n\n"
        "@harness.hookimpl\n"
        "def components():\n    return [Broken]\n"
    )
    failed = pytest_on(
        tmp_path, SUITE.replace("[softmax,", "[softmax, broken,") + "plugins: [mine.py]\n", "--benchmark-only"
    )
    assert failed.returncode == 1 and "no such thing" in failed.stdout, failed.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "no:benchmark"), "pytest-benchmark is not installed"),
        (("--benchmark-disable",), "pytest-benchmark is told to run no benchmarks"),
        (("--benchmark-skip",), "Skipping benchmark"),
    ],
)
@pytest.mark.verify
def test_without_pytest_benchmark_it_is_skipped_by_its_name(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = pytest_on(tmp_path, SUITE, "-rs", *words)
    assert "1 skipped" in ended.stdout and said in ended.stdout, ended.stdout + ended.stderr
    assert not (tmp_path / "results").exists()
