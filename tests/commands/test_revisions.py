"""`--against REV` in a repository of the user's own: both revisions of its code, and gates that need no baseline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import Bench

SUITE = """
suite: ops
protocol: speed
plugins: [plugin.py]
vary: {transform: [ours, softmax]}
settings: {n: 10, batch: 1, budget: 2}
seeds: 200
metrics: seconds
gates: {seconds: {max_regression: 5%}}
"""
PLUGIN = """
from harness import Transform, hookimpl
from ops.work import work


class Ours(Transform):
    \"\"\"Softmax, after some work.\"\"\"

    def __call__(self, logits):
        work()
        return logits.softmax(-1)


@hookimpl
def components():
    return [Ours]
"""
PLAIN = "def work():\n    for _ in range({rounds}):\n        pass\n"
EXTENSION = """
#include <Python.h>

static PyObject *work(PyObject *self, PyObject *none) {{
    volatile long sum = 0;
    for (long k = 0; k < {rounds}; k++) sum += k;
    Py_RETURN_NONE;
}}

static PyMethodDef methods[] = {{{{"work", work, METH_NOARGS, ""}}, {{0}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "work", "", -1, methods}};
PyMODINIT_FUNC PyInit_work(void) {{ return PyModule_Create(&module); }}
"""
SETUP = """
from setuptools import Extension, setup

setup(name="ops", version="1", packages=["ops"], ext_modules=[Extension("ops.work", ["ops/work.c"])])
"""


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=n", "-c", "user.email=e"]
    done = subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True, text=True)
    return done.stdout


def commit(repository: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = repository / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "a change", "--allow-empty")


@pytest.fixture
def repository(bench: Bench) -> Path:
    """A repository with a package in `src`, a suite and a plugin in `bench`, and no file of this harness."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = bench.folder / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, {"bench/plugin.py": PLUGIN, "bench/s.yaml": SUITE, ".gitignore": "results\n*.so\nbuild\n"})
    return folder


def run(bench: Bench, repository: Path, *words: str, path: Sequence[str] = ("src",)) -> tuple[int, str, list[float]]:
    """Exit code, stderr, and the ratios of here to there, `ours` first."""
    inside = Bench(repository / "bench", {**bench.environment})
    modules = [bench.environment["PYTHONPATH"], *(str(repository / name) for name in path)]
    ended = inside(
        "s.yaml", *words, "--device", "cpu", "--json", "-", env={"PYTHONPATH": ":".join(modules)}, timeout=300
    )
    if not ended.out:
        return ended.code, ended.err, []
    here = [cell for cell in ended.json["cells"] if cell["vary"]["revision"] == "here"]
    return ended.code, ended.err, [cell["against"]["seconds"]["ratio"]["ratio"] for cell in here]


@pytest.mark.verify
def test_a_change_that_slows_one_operation_is_stopped_and_one_that_does_not_is_not(
    bench: Bench, repository: Path
) -> None:
    commit(repository, {"src/ops/__init__.py": "", "src/ops/work.py": PLAIN.format(rounds=2000)})
    commit(repository, {"src/ops/work.py": PLAIN.format(rounds=3000)})
    code, said, (ours, theirs) = run(bench, repository, "--against", "HEAD~1")
    assert code == 1, said
    assert 1.2 < ours < 1.7 and 0.9 < theirs < 1.1
    assert "seconds max_regression 5 %: here on ours is" in said and "softmax" not in said
    commit(repository, {"README": "nothing of weight"})
    assert run(bench, repository, "--against", "HEAD~1")[0] == 0
    assert len(git(repository, "worktree", "list").splitlines()) == 1, "the worktree is gone"
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.verify
def test_a_plugin_of_the_revision_itself_is_used(bench: Bench, repository: Path) -> None:
    slow = PLUGIN.replace("work()\n        return", "work(), work()\n        return")
    commit(
        repository, {"src/ops/__init__.py": "", "src/ops/work.py": PLAIN.format(rounds=3000), "bench/plugin.py": slow}
    )
    commit(repository, {"bench/plugin.py": PLUGIN})
    code, said, (ours, _) = run(bench, repository, "--against", "HEAD~1")
    assert code == 0 and 0.4 < ours < 0.7, said


@pytest.mark.verify
def test_compiled_code_is_built_for_the_revision(bench: Bench, repository: Path) -> None:
    pytest.importorskip("setuptools", reason="builds a C extension with setuptools")
    if shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is None:
        pytest.skip("no C compiler")
    for rounds in (20_000, 40_000):
        commit(repository, {"ops/__init__.py": "", "ops/work.c": EXTENSION.format(rounds=rounds), "setup.py": SETUP})
    words = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    subprocess.run(words, cwd=repository, check=True, capture_output=True)
    code, said, ratios = run(bench, repository, "--against", "HEAD~1", path=["."])
    assert code == 1 and 1.5 < ratios[0] < 2.2, said
    (repository / "setup.py").write_text("raise SystemExit('no')\n")
    commit(repository, {})
    code, said, _ = run(bench, repository, "--against", "HEAD", path=["."])
    assert code == 2 and "is compiled here, and the revision cannot be built" in said and len(said.splitlines()) == 1


def test_an_unknown_revision_is_one_line(bench: Bench, repository: Path) -> None:
    code, said, _ = run(bench, repository, "--against", "nonesuch")
    assert (code, said) == (2, "bench: --against: no stored run and no revision 'nonesuch'\n")


def test_validate_says_what_gates_without_a_baseline_need(bench: Bench) -> None:
    suite = bench.suite("[good]", baseline=None, gates="{score: {max_regression: 3%}}")
    ended = bench("validate", suite)
    assert ended.code == 0, ended.err
    assert "note: gates on differences need a baseline in the suite, or --against" in ended.out
    assert "the suite has no baseline to compare with" in bench(suite).err


LEARNED = """
suite: learned
protocol: accuracy
plugins: [learning.py]
vary:
  dataset: [iris, points]
  model: linear
  loss: [ours, cross_entropy]
settings: {epochs: 20, lr: 0.1}
seeds: 6
metrics: [accuracy, nll]
gates: {nll: {max_regression: 5%}, accuracy: {max: 0.995}}
"""
LEARNING = """
import torch
import torch.nn.functional as F
from harness import Dataset, Examples, Loss, hookimpl
from ops.scale import SCALE, SPREAD


class Ours(Loss):
    \"\"\"Cross-entropy of logits that a package scales.\"\"\"

    def __call__(self, logits, target):
        return F.cross_entropy(SCALE * logits, target, reduction="none")


class Points(Dataset):
    \"\"\"Two clouds, as far from each other as a package says.\"\"\"

    def load(self, generator):
        targets = torch.arange(600) % 2
        inputs = torch.randn(600, 2, generator=generator) + SPREAD * targets[:, None]
        return Examples(inputs=inputs, targets=targets, classes=2)


@hookimpl
def components():
    return [Ours, Points]
"""
CONSTANTS = "SCALE, SPREAD = {}, {}\n"


@pytest.mark.verify
def test_two_revisions_are_trained_beside_each_other_and_paired_by_seed(bench: Bench, repository: Path) -> None:
    """The earlier one has the numbers of a run in its own checkout, data sets of its own code included."""
    files = {"bench/learned.yaml": LEARNED, "bench/learning.py": LEARNING, "src/ops/__init__.py": ""}
    commit(repository, files | {"src/ops/scale.py": CONSTANTS.format(1.0, 4.0)})
    path = f"{bench.environment['PYTHONPATH']}:{repository / 'src'}"
    inside = Bench(repository / "bench", {**bench.environment, "PYTHONPATH": path})
    ungated = ("learned.yaml", "--device", "cpu", "--set", "gates=null", "--json", "-")
    earlier = {tuple(cell["vary"].values()): cell["metrics"] for cell in inside(*ungated).json["cells"]}
    commit(repository, {"src/ops/scale.py": CONSTANTS.format(-1.0, 0.5)})
    later = {tuple(cell["vary"].values()): cell["metrics"] for cell in inside(*ungated).json["cells"]}
    ended = inside("learned.yaml", "--device", "cpu", "--against", "HEAD~1", "--json", "-", timeout=120)
    assert ended.code == 1, ended.err
    assert "gate: nll max_regression 5 %: " in ended.err and "Traceback" not in ended.err
    gated = [gate for gate in ended.json["gates"] if gate["metric"] == "accuracy"]
    assert len(gated) == 4 and {gate["vary"]["revision"] for gate in gated} == {"here"}, "bounds are not of the past"
    assert len(ended.json["cells"]) == 8
    for cell in ended.json["cells"]:
        *axes, revision = cell["vary"].values()
        assert revision in ("here", "HEAD~1")
        known = later if revision == "here" else earlier
        assert cell["metrics"]["nll"]["values"] == known[tuple(axes)]["nll"]["values"], cell["vary"]
        assert cell["metrics"]["nll"]["interval"] == "both"
    verdicts = {
        (cell["vary"]["dataset"], cell["vary"]["loss"]): cell["against"]["nll"]["verdict"]
        for cell in ended.json["cells"]
        if cell["against"]
    }
    assert verdicts.pop(("iris", "cross_entropy")) == "identical" and [*verdicts.values()] == ["worse"] * 3
    again = inside("learned.yaml", "--device", "cpu", "--against", "HEAD~1", "--dry-run")
    assert "0 cells to do, 8 reused" in again.out, again
    assert len(git(repository, "worktree", "list").splitlines()) == 1, "the worktree is gone"


SAMPLED = """
suite: sampled
protocol: generation
plugins: [sampling.py]
vary: {denoiser: {gaussian: {variance: 0.25}}, sampler: [drifting, ddim]}
settings: {steps: 4, samples: 256}
seeds: 6
metrics: [fid_proxy, energy_distance]
"""
SAMPLING = """
from harness import Sampler, hookimpl
from ops.scale import SCALE, SPREAD


class Drifting(Sampler):
    \"\"\"Predicts the data at once, and moves away by as much as a package says.\"\"\"

    def sample(self, model, covariance, x_T, times, noise):
        return model.x0(x_T, times[0]) * SPREAD + SCALE


@hookimpl
def components():
    return [Drifting]
"""


@pytest.mark.verify
def test_two_revisions_draw_from_the_same_noise(bench: Bench, repository: Path) -> None:
    files = {"bench/sampled.yaml": SAMPLED, "bench/sampling.py": SAMPLING, "src/ops/__init__.py": ""}
    commit(repository, files | {"src/ops/scale.py": CONSTANTS.format(0.0, 1.0)})
    commit(repository, {"src/ops/scale.py": CONSTANTS.format(2.0, 1.0)})
    path = f"{bench.environment['PYTHONPATH']}:{repository / 'src'}"
    inside = Bench(repository / "bench", {**bench.environment, "PYTHONPATH": path})
    words = ("--device", "cpu", "--against", "HEAD~1", "--fail-on", "regression", "--json", "-")
    ended = inside("sampled.yaml", *words, timeout=120)
    found = {cell["vary"]["sampler"]: cell["against"]["fid_proxy"] for cell in ended.json["cells"] if cell["against"]}
    assert ended.code == 1 and "regression: here on drifting is worse than HEAD~1 in fid_proxy" in ended.err, ended.err
    assert {name: entry["verdict"] for name, entry in found.items()} == {"drifting": "worse", "ddim": "identical"}
    assert 3 < found["drifting"]["difference"] < 5  # the squared distance of the means


def test_programs_are_compared_by_two_runs(bench: Bench, repository: Path) -> None:
    commit(repository, {"bench/train.py": "print('{}')\n", "bench/s.yaml": """
protocol: accuracy
vary: {rate: [1, 2]}
trainer: {command: {run: "python train.py {rate} {seed}"}}
metrics: [{reported: {key: acc, higher_is_better: true}}]
seeds: 2
"""})  # fmt: skip
    code, said, _ = run(bench, repository, "--against", "HEAD", "--trust")
    assert code == 2 and len(said.splitlines()) == 1, said
    assert "s.yaml:4:" in said and "then bench compare RUN RUN --fail-on regression" in said
