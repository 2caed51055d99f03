"""A YAML file alone runs nothing: what it may import without `--trust`, and what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.discovery.sources import Source
from harness.run.boundary import Boundary
from tests.conftest import Bench

LOSS = """
import pathlib
pathlib.Path("{mark}").touch()


def loss(logits, target):
    return logits.logsumexp(-1) - logits.gather(-1, target[:, None])[:, 0]
"""
SUITE = """protocol: accuracy
vary: {{dataset: iris, loss: [cross_entropy, {loss}]}}
settings: {{epochs: 1}}
seeds: 1
metrics: nll
"""


@pytest.fixture
def boundary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boundary:
    """A suite's folder with a module beside, one in a package below, one in an environment below, and one outside."""
    for file in ("suites/near.py", "suites/pack/deep.py", "suites/.venv/lib/site-packages/other.py", "far.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for folder in (tmp_path / "suites", tmp_path / "suites/.venv/lib/site-packages", tmp_path):
        monkeypatch.syspath_prepend(str(folder))
    return Boundary(tmp_path / "suites", [Source("mine", "", "mine.losses", "given")])


@pytest.mark.parametrize(
    ("module", "crossed"),
    {
        "near": False, "pack.deep": False, "far": True, "other": True, "subprocess": True, "os": True, "posix": True,
        "torch": False, "torch.nn": False, "torch.nn.functional": False, "torch.hub": True, "torch.nnx": False,
        "numpy": True, "harness": False, "harness.processes": True, "mine": False, "mine.models": False, "absent": False,
    }.items(),
)  # fmt: skip
def test_what_a_suite_may_import(module: str, crossed: bool, boundary: Boundary) -> None:
    assert boundary.crossed_by_module(module) is crossed


@pytest.mark.parametrize(
    ("text", "crossed"), [("a.py", False), ("b/a.py", False), ("b/../a.py", False), ("../a.py", True), ("/a.py", True)]
)
def test_which_files_a_suite_may_name(text: str, crossed: bool, boundary: Boundary) -> None:
    assert boundary.crossed_by_file(text) is crossed


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_suite_alone_runs_no_program(command: str, bench: Bench) -> None:
    mark = bench.folder / "ran"
    loss = f"{{'subprocess:Popen': {{args: 'touch {mark}', shell: true}}}}"
    ended = bench(command, bench.write("s.yaml", SUITE.format(loss=loss)))
    said = "subprocess:Popen imports the module subprocess, which is not beside or below the suite: it needs --trust"
    assert ended.code == 2 and said in ended.err and len(ended.lines) == 1
    assert not mark.exists()


@pytest.mark.verify
def test_a_module_outside_is_imported_with_trust_alone(bench: Bench) -> None:
    mark = bench.folder / "imported"
    bench.write("code/outer.py", LOSS.format(mark=mark))
    suite = bench.write("suites/s.yaml", SUITE.format(loss="'outer:loss'"))
    env = {"PYTHONPATH": f"{bench.environment['PYTHONPATH']}{os.pathsep}{bench.folder / 'code'}"}
    refused = bench(suite, env=env)
    assert refused.code == 2 and "suites/s.yaml:2:45: outer:loss imports the module outer" in refused.err
    assert not mark.exists()
    assert bench(suite, "--trust", "-q", env=env).code == 0 and mark.exists()


def test_validate_says_what_a_field_would_import(bench: Bench) -> None:
    text = """protocol: generation
vary: {denoiser: [{checkpoint: {module: "antigravity:fly", file: w.pt, shape: [2]}}], sampler: [ddim]}
settings: {samples: 64}
seeds: 1
metrics: nfe
"""
    bench.write("w.pt", "")
    suite = bench.write("s.yaml", text)
    said = "antigravity:fly imports the module antigravity, which is not beside or below the suite"
    assert said in bench("validate", suite).out
    ended = bench(suite)
    assert ended.code == 2 and said in ended.err
