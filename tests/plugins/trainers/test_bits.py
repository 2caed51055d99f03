"""To the bit: a seed's numbers do not depend on the seeds asked for with it, a lane's not on its neighbors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Loss, component
from tests.plugins.training import CLASSES, COLUMNS, Build, make_job, mlp


def conv() -> nn.Module:
    layers = [nn.Unflatten(1, (1, COLUMNS)), nn.Conv1d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv1d(8, 4, 2), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * (COLUMNS - 1), CLASSES))


PLUGIN = '''
from harness import Loss, hookimpl

class Tailed(Loss):
    """Powers and sigmoids, whose last bits depend on where in an array an element lies."""

    power: float = 1.7

    def __call__(self, logits, target):
        p = logits.sigmoid()
        hit = p.gather(-1, target[:, None])[:, 0]
        return (1 - hit) ** self.power + (p ** 0.3).mean(-1)

@hookimpl
def components():
    return [Tailed]
'''

SUITE = """
suite: bits
question: Are they the same?
protocol: accuracy
vary: {dataset: [{csv: {path: table.csv, target: y}}], model: [{mlp: {hidden: 7}}], loss: [{tailed: {power: {learn: 1.7}}}]}
settings: {epochs: 2, batch: 37, normalize_gradient: true}
metrics: [nll, ece]
plugins: [tailed.py]
"""

RUN = """
import os
from pathlib import Path
from harness.report.result import Result
from harness.run.context import ExecutionConfig
from harness.run.load import RunOptions, load
from harness.run.pipeline import execute_run
from harness.worker.supervisor import Server
cores = sorted(os.sched_getaffinity(0))
os.environ.pop("OMP_NUM_THREADS", None)
with Server() as server:
    for threads in (1, 2):
        os.sched_setaffinity(0, cores[:threads])
        for name, seeds in (("few", "[41, 7]"), ("many", "100")):
            prepared = load("suite.yaml", RunOptions(overrides={"seeds": seeds}), server)
            run = execute_run(prepared, ExecutionConfig(Path(f"{name}-{threads}")), server)
            Path(f"{name}-{threads}.json").write_text(Result(run).to_json())
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of few seeds and of many, with one thread and with two; every cell in its own process."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("the number of cores cannot be chosen here")
    folder = tmp_path_factory.mktemp("runs")
    (folder / "tailed.py").write_text(PLUGIN)
    (folder / "suite.yaml").write_text(SUITE)
    draw = numpy.random.default_rng(0)
    rows = [",".join(f"{x:.3f}" for x in draw.normal(size=4)) + f",{place % 3}" for place in range(333)]
    (folder / "table.csv").write_text("\n".join(["a,b,c,d,y", *rows]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def cell(file: Path, threads: int) -> dict[str, Any]:
    """The only cell of a run."""
    result = json.loads(file.read_text())
    (only,) = result["cells"]
    assert only["status"] == "ok", only["reason"]
    assert result["environment"]["threads"] == threads
    return dict(only)


def units(folder: Path) -> dict[tuple[str, int], tuple[bytes, bytes]]:
    found = {}
    for file in (folder / "units").glob("*.npz"):
        with numpy.load(file) as kept:
            for label in ("nll", "ece"):
                for seed, values, ids in zip(kept["seeds"], kept[f"{label}/values"], kept[f"{label}/ids"], strict=True):
                    found[label, int(seed)] = (values.tobytes(), ids.tobytes())
    return found


@pytest.mark.verify
@pytest.mark.parametrize("threads", [1, 2])
def test_a_seed_is_the_same_whichever_seeds_are_asked_for(threads: int, runs: Path) -> None:
    if len(os.sched_getaffinity(0)) < threads:
        pytest.skip("needs two cores")
    few, many = (cell(runs / f"{name}-{threads}.json", threads) for name in ("few", "many"))
    assert (few["seeds"], many["seeds"]) == ([41, 7], list(range(100)))
    for label in ("nll", "ece"):
        for place, seed in ((0, 41), (1, 7)):
            assert few["metrics"][label]["values"][place] == many["metrics"][label]["values"][seed]
    some, all_of_them = units(runs / f"few-{threads}"), units(runs / f"many-{threads}")
    assert len(some) == 2 * 64
    assert len(all_of_them) == 2 * 128
    assert {key: all_of_them[key] for key in some} == some
    assert len({values for (label, _), (values, _) in all_of_them.items() if label == "nll"}) == 128


@pytest.mark.parametrize("name", ["cross_entropy", "hinge", "brier"])
@pytest.mark.parametrize(("optimizer", "build"), [("adam", mlp), ("sgd", mlp), ("adam", conv)])
def test_a_lane_without_numbers_stays_alone(name: str, optimizer: str, build: Build, tmp_path: Path) -> None:
    stacked = component("trainer", "stacked")
    job = make_job(name, tmp_path, build, seeds=range(32), optimizer=optimizer, normalize_gradient=True)
    whole = stacked.fit(job).test
    assert job.train.shift is not None
    job.train.shift[5] = torch.nan
    broken = stacked.fit(job).test
    assert broken[5].isnan().all()
    others = [k for k in range(32) if k != 5]
    assert torch.equal(broken[others], whole[others])


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_lane_that_diverges_stays_alone(optimizer: str, tmp_path: Path) -> None:
    class Steep(Loss):
        """Squared logits."""

        def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
            return F.cross_entropy(logits, target) + logits.square().sum(-1)

    stacked, runs = component("trainer", "stacked"), []
    for rate in (0.01, 0.02, 1e30):
        rates = [0.01] * 9 + [rate] + [0.01] * 22
        runs.append(stacked.fit(make_job(Steep(), tmp_path, seeds=range(32), lr=rates, optimizer=optimizer)).test)
    others = [k for k in range(32) if k != 9]
    assert not runs[2][9].isfinite().all()
    assert runs[0].isfinite().all()
    assert torch.equal(runs[1][others], runs[2][others])
    torch.testing.assert_close(runs[0][others], runs[2][others], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [mlp, conv])
def test_a_lane_does_not_depend_on_the_data_of_its_neighbors(build: Build, tmp_path: Path) -> None:
    job = make_job("focal", tmp_path, build, seeds=range(32))
    mixed = make_job("focal", tmp_path, build, seeds=[(k + 3) % 32 if k != 11 else 11 for k in range(32)])
    stacked = component("trainer", "stacked")
    assert torch.equal(stacked.fit(job).test[11], stacked.fit(mixed).test[11])
    assert not torch.equal(job.train.index[10], mixed.train.index[10])
