"""`--against`: another revision in the same blocks, another Python, a stored run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bench, Ended
from tests.helpers import installed

SUITE = """
suite: spin
protocol: speed
plugins: [spin.py]
vary: {transform: spin}
settings: {n: 10, batch: 1, budget: 1}
seeds: 100
metrics: seconds
"""
SPIN = """
from harness import Transform, hookimpl
from harness.rounds import ROUNDS


class Spin(Transform):
    \"\"\"Softmax, after it has counted.\"\"\"

    def __call__(self, logits):
        for _ in range(ROUNDS):
            pass
        return logits.softmax(-1)


@hookimpl
def components():
    return [Spin]
"""


def commit(folder: Path, rounds: int) -> None:
    """A revision of the harness in which one constant is different."""
    (folder / "harness" / "rounds.py").write_text(f"ROUNDS = {rounds}\n")
    for words in (["add", "-A"], ["-c", "user.name=n", "-c", "user.email=e", "commit", "-qm", str(rounds)]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of two revisions, of which the later counts twice as far."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path_factory.mktemp("checkout")
    for part in ("harness", "plugins"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    commit(folder, 2000)
    commit(folder, 4000)
    return folder


def run(bench: Bench, checkout: Path, *words: str) -> Ended:
    """The command of the checkout itself."""
    bench.write("spin.py", SPIN)
    path = os.pathsep.join([str(checkout), bench.environment.get("PYTHONPATH", "")])
    suite = bench.write("spin.yaml", SUITE)
    return bench(suite, "--json", "-", *words, env={"PYTHONPATH": path}, timeout=120)


@pytest.mark.verify
def test_a_regression_between_two_revisions_is_found_and_fails(bench: Bench, checkout: Path) -> None:
    ended = run(bench, checkout, "--against", "HEAD~1", "--fail-on", "regression")
    assert ended.code == 1, ended.err
    there, here = ended.json["cells"]
    assert (there["vary"]["revision"], here["vary"]["revision"]) == ("HEAD~1", "here")
    entry = here["against"]["seconds"]
    assert entry["verdict"] == "worse" and 1.5 < entry["ratio"]["ratio"] < 3
    assert "regression: spin / here is worse than" in ended.err or "regression: here is worse than" in ended.err
    left = subprocess.run(["git", "-C", str(checkout), "worktree", "list"], capture_output=True, text=True, check=True)
    assert len(left.stdout.splitlines()) == 1, "the worktree is gone"


@pytest.mark.verify
def test_another_python_takes_turns_with_this_one(bench: Bench, checkout: Path) -> None:
    ended = run(bench, checkout, "--against", f"python:{sys.executable}")
    assert ended.code == 0, ended.err
    assert [cell["vary"]["revision"] for cell in ended.json["cells"]] == [f"python:{sys.executable}", "here"]
    assert 0.5 < ended.json["cells"][1]["against"]["seconds"]["ratio"]["ratio"] < 2


def test_what_is_neither_a_run_nor_a_revision_nor_a_python_is_said(bench: Bench, checkout: Path) -> None:
    ended = run(bench, checkout, "--against", "nonesuch")
    assert (ended.code, ended.lines) == (2, ["bench: --against: no stored run and no revision 'nonesuch'"])
    ended = run(bench, checkout, "--against", "python:/nonesuch")
    assert (ended.code, ended.lines) == (2, ["bench: --against python:/nonesuch: no Python is there"])


@pytest.mark.verify
def test_a_run_meets_a_stored_one_and_a_loss_since_then_fails(bench: Bench) -> None:
    """The stored run of a loss worth 2 is looked back at by one that is worth 1 under the same name."""
    name = "{good: {value: %d}, as: it}"
    assert bench(bench.suite(f"[{name % 2}]", baseline=None), "-q").code == 0
    ended = bench(
        bench.suite(f"[{name % 1}]", baseline=None), "--against", "last", "--json", "-", "--fail-on", "regression"
    )
    assert ended.code == 1, ended.err
    before, after = ended.json["cells"]
    assert (before["vary"]["run"], after["vary"]["run"]) == ("before", "after")
    assert after["against"]["score"]["verdict"] == "worse" and "is worse than" in ended.err
    stored = bench("report", "last", "--format", "json").json
    assert [cell["vary"] for cell in stored["cells"]] == [{"loss": "it"}], "the run itself is what is kept"
    again = bench(bench.suite(f"[{name % 1}]", baseline=None), "--against", stored["run"], "--fail-on", "regression")
    assert again.code == 0 and "What has changed from" in again.out


@pytest.mark.verify
def test_gates_hold_between_a_run_and_an_earlier_one_without_a_baseline(bench: Bench) -> None:
    """Values of 2 and 8, then of 1 and 9: one lower, one higher; then neither; bounds are those of the later run."""
    name = "[{good: {value: %d}, as: it}, {good: {value: %d}, as: other}]"
    rules = "{score: {max_regression: %s, max: 9.5, min: 0.5}}"

    def run(values: tuple[int, int], gates: str, *words: str) -> Ended:
        return bench(bench.suite(name % values, baseline=None, gates=gates), *words, "--json", "-")

    assert bench(bench.suite(name % (2, 8), baseline=None), "-q").code == 0
    (first,) = (path.name for path in (bench.folder / "results" / "runs").iterdir())
    against = ("--against", first)
    lower = run((1, 9), rules % "20%", *against)
    assert lower.code == 1 and lower.lines[-1].startswith("bench: gate: score max_regression 20 %: it / after is ")
    judged = {(gate["vary"]["loss"], gate["vary"]["run"], gate["rule"]): gate["passed"] for gate in lower.json["gates"]}
    assert judged == {
        ("it", "after", "max_regression"): False,
        ("other", "after", "max_regression"): True,
        **{(each, "after", rule): True for each in ("it", "other") for rule in ("max", "min")},
    }
    assert run((1, 9), rules % "90%", *against).code == 0
    either = run((2, 9), "{score: {max_change: 5%}}", *against)
    assert either.code == 1 and "score max_change 5 %: other / after is" in either.err
    beyond = run((2, 8), "{score: {max: 5}}", *against)
    assert beyond.code == 1 and "score max 5: other / after has" in beyond.err
    without = run((2, 8), rules % "5%")
    assert without.code == 2 and "the suite has no baseline to compare with" in without.err
    assert "gates" not in without.out and bench("report", "last").code == 0


@pytest.mark.verify
def test_with_a_baseline_gates_still_hold_between_the_runs(bench: Bench) -> None:
    """As under --against REV: `other` is far below its baseline and no lower than before."""
    gates = "{score: {max_regression: 5%}}"
    words = ("--json", "-")
    suite = bench.suite("[{good: {value: 8}}, {good: {value: 2}, as: other}]", baseline="good(value=8.0)", gates=gates)
    assert bench(suite, "-q").code == 1
    ended = bench(suite, "--against", "last", *words)
    assert ended.code == 0, ended.err
    assert {gate["vary"]["run"] for gate in ended.json["gates"]} == {"after"}


@pytest.mark.verify
def test_a_stored_run_with_nothing_in_common_is_refused_before_anything_runs(bench: Bench) -> None:
    assert bench(bench.suite("[{good: {value: 2}, as: it}]", baseline=None), "-q").code == 0
    ended = bench(bench.suite("[{good: {value: 2}, as: other}]", baseline=None), "--against", "last")
    assert ended.code == 2 and ended.lines[-1].startswith("bench: nothing to compare: no row is in both ")
    ended = bench(bench.suite("[{good: {value: 2}, as: it}]", baseline=None), "--against", "last", "--dry-run")
    assert ended.code == 0
    assert len(list((bench.folder / "results" / "runs").iterdir())) == 1


PINNED = """
from harness import Transform, hookimpl
import spinning


class Spin(Transform):
    \"\"\"Softmax, after it has counted as far as a package says.\"\"\"

    def __call__(self, logits):
        for _ in range(spinning.ROUNDS):
            pass
        return logits.softmax(-1)


@hookimpl
def components():
    return [Spin]
"""


def environment_with(folder: Path, rounds: int, version: str) -> Path:
    """The Python of an environment with the libraries that are here and a version of the package `spinning`."""
    python = folder / "bin" / "python" if folder.exists() else installed.environment(folder)
    site = installed.packages(python)
    for old in site.glob("spinning-*.dist-info"):
        shutil.rmtree(old)
    (site / "spinning.py").write_text(f"ROUNDS = {rounds}\n")
    about = site / f"spinning-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: spinning\nVersion: {version}\n")
    (about / "RECORD").write_text(f"spinning.py,sha256={version},10\n")
    return python


@pytest.mark.verify
def test_another_environment_has_its_own_packages_and_is_what_is_installed_there(bench: Bench, tmp_path: Path) -> None:
    """From an installed wheel, beside an environment with another version of a package, then with a third."""
    here = environment_with(tmp_path / "here", 2000, "1.0")
    there = environment_with(tmp_path / "there", 20000, "2.0")
    installed.install(here, installed.checkout(tmp_path / "checkout"))
    bench.write("spin.py", PINNED)
    bench.write("s.yaml", SUITE)
    clean = {key: value for key, value in bench.environment.items() if key != "PYTHONPATH"}

    def ratio() -> float:
        words = [here, "-P", "-m", "harness", "s.yaml", "--against", f"python:{there}", "--json", "-"]
        ended = subprocess.run(words, cwd=bench.folder, env=clean, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        _, ours = json.loads(ended.stdout)["cells"]
        assert ours["vary"]["revision"] == "here"
        return float(ours["against"]["seconds"]["ratio"]["ratio"])

    assert ratio() < 0.3  # there it counts ten times as far
    environment_with(tmp_path / "there", 200, "3.0")
    assert ratio() > 2  # and now a tenth as far: measured, not remembered
