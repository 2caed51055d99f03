"""The workflow of docs/ci.md: its YAML, and its commands run as GitHub runs them, in a repository of two commits."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import Bench, Ended
from tests.docs.blocks import ROOT, files
from tests.helpers import installed

FILE = ".github/workflows/bench.yml"
WORKFLOW: Mapping[Any, Any] = yaml.safe_load(files((ROOT / "docs" / "ci.md").read_text())[FILE])
JOB = WORKFLOW["jobs"]["bench"]
STEPS: Mapping[str, str] = {step["name"]: step["run"] for step in JOB["steps"] if "run" in step}


def test_the_workflow_has_the_form_of_one() -> None:
    assert set(WORKFLOW) == {"name", True, "jobs"}, "YAML 1.1 reads `on` as true, as GitHub's own reader does not"
    assert set(WORKFLOW[True]) == {"push", "pull_request"} and JOB["runs-on"] == "ubuntu-latest"
    for step in JOB["steps"]:
        assert ("run" in step) != ("uses" in step) and set(step) <= {"name", "if", "run", "uses", "with"}
    assert list(STEPS) == ["Install", "Measure", "Compare with the base branch", "Trend"]
    assert not [text for text in STEPS.values() if "${{" in text], "an expression inside a command is no text"
    (cache,) = [step["with"] for step in JOB["steps"] if step.get("uses", "").startswith("actions/cache@")]
    assert cache["path"] == "results" and cache["key"].startswith(cache["restore-keys"])


@dataclasses.dataclass(frozen=True)
class Runner:
    """A machine of the service: a repository with a remote, an environment without this program."""

    bench: Bench
    temporary: Path

    @property
    def summary(self) -> str:
        """The summary of the last step."""
        return (self.temporary / "summary.md").read_text()

    def step(self, name: str) -> Ended:
        """A step, run as GitHub does, with a summary of its own."""
        (self.temporary / "summary.md").write_text("")
        variables = {
            **{"GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "main", "GITHUB_WORKSPACE": str(self.bench.folder)},
            **{"GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"), "RUNNER_TEMP": str(self.temporary)},
        }
        shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
        return dataclasses.replace(self.bench, command=shell)(STEPS[name], env=variables, timeout=600)

    def git(self, *words: str) -> None:
        """A command of git."""
        who = ["-c", "user.name=n", "-c", "user.email=e"]
        subprocess.run(["git", *who, *words], cwd=self.bench.folder, check=True, capture_output=True)

    def xml(self, name: str) -> ElementTree.Element:
        """The test suite in a file of the runner's folder."""
        return ElementTree.parse(self.temporary / name).getroot()[0]


@pytest.fixture
def runner(environment: Mapping[str, str], tmp_path: Path) -> Runner:
    """The wheel lies where pip looks; nothing of this checkout is visible."""
    python = installed.environment(tmp_path / "venv")
    wheels = tmp_path / "wheels"
    build = _pip(
        python, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(wheels)
    )
    subprocess.run([*build, installed.checkout(tmp_path / "checkout")], check=True)
    (python.parent / "pip").write_text(f'#!/bin/sh\nexec {" ".join(map(str, _pip(python)))} "$@"\n')
    (python.parent / "pip").chmod(0o755)
    made = {key: value for key, value in environment.items() if key != "PYTHONPATH"}
    made |= {"PATH": f"{python.parent}:{environment['PATH']}", "CUDA_VISIBLE_DEVICES": ""}
    made |= {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_DEPS": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    for name in ("repository", "temporary"):
        (tmp_path / name).mkdir()
    return Runner(Bench(tmp_path / "repository", made), tmp_path / "temporary")


def _pip(python: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", *words]


@pytest.mark.verify
def test_the_commands_of_the_workflow_run_in_a_repository(runner: Runner, tmp_path: Path) -> None:
    folder = runner.bench.folder
    assert runner.step("Install").code == 0
    bench = dataclasses.replace(runner.bench, command=("bench",))
    assert bench("new", "plugin", "loss", "ours", timeout=300).code == 0
    runner.git("init", "-q", "-b", "main")
    runner.git("add", "-A")
    runner.git("commit", "-qm", "a loss")
    subprocess.run(["git", "clone", "-q", "--bare", folder, tmp_path / "origin"], check=True, capture_output=True)
    runner.git("remote", "add", "origin", str(tmp_path / "origin"))
    runner.git("fetch", "-q", "origin")

    measured = runner.step("Measure")
    assert measured.code == 0, measured.out + measured.err
    assert "## ours" in runner.summary and runner.xml("bench.xml").attrib["tests"] == "3"
    trend = runner.step("Trend")
    assert trend.code == 0 and "ours: accuracy" in runner.summary and "ours" in runner.summary, trend.err
    assert bench("runs").out.splitlines()[1].split()[-1].isalnum(), "nothing but results is new: the commit is clean"

    code = folder / "ours.py"
    code.write_text(code.read_text().replace('reduction="none")', 'reduction="none") * -1'))
    runner.git("commit", "-qam", "a loss that learns the opposite")
    again = runner.step("Measure")
    assert again.code == 0, again.out + again.err
    compared = runner.step("Compare with the base branch")
    assert compared.code == 1, compared.out + compared.err
    assert [
        line for line in compared.lines if line.startswith("::error file=ours.yaml,title=ours%3A --fail-on::regression")
    ]
    assert "## ours" in runner.summary and "regression: " in runner.summary
    assert runner.xml("against.xml").find("testcase[@name='regression']/failure") is not None
    assert runner.step("Trend").code == 0 and "ours on" not in runner.summary
    assert [line.split()[1].isalnum() for line in runner.summary.splitlines() if "-ours" in line] == [True] * 3

    code.write_text(code.read_text().replace("tempered, target", "tempered, nowhere"))
    runner.git("commit", "-qam", "a mistake")
    failed = runner.step("Measure")
    assert failed.code == 3 and [line for line in failed.lines if line.startswith("::error file=ours.yaml,title=")]
    assert runner.xml("bench.xml").attrib["errors"] == "1" and "**Rows without a result**" in runner.summary
    log = bench("log", "last", "ours")
    assert "NameError: name 'nowhere' is not defined" in log.out and "ours.py:" in log.out
