"""The README does what it says: its files are written to an unrelated folder and its commands are run there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text()


def block(language: str, contains: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)
    return next(b for b in blocks if contains in b)


def bench(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "harness", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unrelated")
    (folder / "tempered.py").write_text(block("python", "class Tempered"))
    (folder / "mine.yaml").write_text(block("yaml", "tempered"))
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> subprocess.CompletedProcess[str]:
    return bench("mine.yaml", "--plugin", "tempered.py", folder=folder)


def test_a_loss_of_ones_own_is_a_row(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    for row in ("cross_entropy", "tempered(temperature=0.5)", "tempered(temperature=4.0)", "annealed", "learned"):
        assert first.stdout.count(row) >= 2, row
    assert "Answer" in first.stdout


def test_more_seeds_run_only_what_is_missing(folder: Path, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0
    records = folder / "results" / "records"
    before = {file: len(file.read_text().splitlines()) for file in records.iterdir()}
    plan = bench("mine.yaml", "--plugin", "tempered.py", "--seeds", "64", "--dry-run", folder=folder)
    assert "10 cells to do, 0 reused; 320 seeds to measure" in plan.stdout
    again = bench("mine.yaml", "--plugin", "tempered.py", folder=folder)
    assert again.returncode == 0 and again.stdout.split("Answer")[1] == first.stdout.split("Answer")[1]
    assert {file: len(file.read_text().splitlines()) for file in before} == before
    assert set(records.iterdir()) == set(before), "nothing was missing, so nothing was written"


def test_a_misspelt_name_is_answered_as_shown(folder: Path) -> None:
    shown = block("text", "temperd").strip()
    (folder / "typo").mkdir()
    (folder / "typo" / "mine.yaml").write_text(
        (folder / "mine.yaml").read_text().replace("{tempered: {temperature: [0.5", "{temperd: {temperature: [0.5")
    )
    ended = bench("mine.yaml", "--plugin", "../tempered.py", folder=folder / "typo")
    assert ended.returncode == 2 and ended.stderr.splitlines()[0] == shown


def test_the_python_example_runs(tmp_path: Path) -> None:
    code = block("python", "harness.run").replace("suites/", f"{ROOT}/suites/")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert f"focal(gamma=1.0) {sorted(harness.components('dataset'))}" in done.stdout


def test_the_table_of_components_is_true() -> None:
    kinds = "|".join(kind for kind in KINDS if kind != "protocol")
    found = dict(re.findall(rf"^\| ({kinds}) \| (.*) \|$", TEXT, flags=re.MULTILINE))
    assert set(found) == {kind for kind in KINDS if kind != "protocol" and harness.components(kind)}
    for kind, text in found.items():
        named = set(re.findall(r"`(\w+)`", text)) - {"label_noise", "imbalance"}
        assert named == set(harness.components(kind)), kind


def test_every_option_named_exists() -> None:
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) | {"-k", "-j"}
    options -= {"--benchmark-only"}  # an option of pytest-benchmark
    known = bench("run", "--help", folder=ROOT).stdout + bench("report", "--help", folder=ROOT).stdout
    assert not {option for option in options if option not in known}
