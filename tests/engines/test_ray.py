"""A real Ray cluster of several nodes on this machine, with a token: the same numbers, lost nodes, a lost driver."""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT, Bench

MISSING = "" if importlib.util.find_spec("ray") else "ray is not installed"
pytestmark = [pytest.mark.verify, pytest.mark.skipif(bool(MISSING), reason=MISSING)]
CELLS = 2000 if os.environ.get("FULL") else 40
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef0123456789abcdef"}
UNSHARED = ["unshare", "--user", "--map-root-user", "--mount"]
SEEN = '''
import os

from harness import Loss, hookimpl


class Seen(Loss):
    """The number of GPUs that a cell sees."""

    value: float = 0.0

    def __call__(self, seeds, case):
        return [float(len(os.environ["CUDA_VISIBLE_DEVICES"].split(","))) for _ in seeds]


@hookimpl
def components():
    return [Seen]
'''


class Nodes:
    """The cluster: two nodes with one core and two make-believe GPUs each."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from ray.cluster_utils import Cluster
        self._each: dict[str, Any] = {"num_cpus": 1, "num_gpus": 2, "object_store_memory": 100 << 20}
        head = {"include_dashboard": False, **self._each}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._other = self._cluster.add_node(**self._each)
        self.words = ("--engine", "ray", "--address", self._cluster.address, "--device", "cpu")

    def kill(self) -> None:
        """End a node as a loss of power does, and add another."""
        self._cluster.remove_node(self._other, allow_graceful=False)
        self._other = self._cluster.add_node(**self._each)

    def close(self) -> None:
        self._cluster.shutdown()


@pytest.fixture(scope="module")
def ray_environment(environment: dict[str, str]) -> dict[str, str]:
    return environment | TOKEN


@pytest.fixture(scope="module")
def cluster(ray_environment: dict[str, str]) -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ray_environment.items():
            patch.setenv(name, value)
        found = Nodes()
        yield found
        found.close()


@pytest.fixture
def bench(ray_environment: dict[str, str], tmp_path: Path) -> Bench:
    return Bench(tmp_path, ray_environment)


def records(bench: Bench, results: str = "results") -> list[Any]:
    files = sorted((bench.folder / results / "records").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]]


def until_stored(bench: Bench, process: Any, count: int) -> None:
    limit = time.monotonic() + 120 + count
    while len(records(bench)) < count:
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < limit
        time.sleep(0.05)


def checked(bench: Bench, cells: int, seeds: int) -> None:
    """Every block of every cell is stored once."""
    found = records(bench)
    assert {record["status"] for record in found} == {"ok"}
    blocks = collections.Counter((record["cell"], seed) for record in found for seed in record["seeds"])
    assert {*blocks.values()} == {1} and len(blocks) == cells * seeds


def test_without_a_folder_in_common_the_numbers_are_the_same_to_the_bit(bench: Bench, cluster: Nodes) -> None:
    """The driver's results folder is hidden from the nodes by a mount of its own."""
    if subprocess.run([*UNSHARED, "true"], capture_output=True).returncode:
        pytest.skip("this machine has no mounts of a user's own")
    keys = "settings: {epochs: 2}\nseeds: 2\nmetrics: [accuracy, nll]\nbaseline: cross_entropy\n"
    vary = "vary: {dataset: iris, model: linear, loss: [cross_entropy, hinge, {focal: {gamma: 2}}]}\n"
    suite = bench.write("s.yaml", f"protocol: accuracy\nresources: {{cpus: 1}}\n{keys}{vary}")
    here = bench(suite, "--device", "cpu", "-q", "--results", "local")
    assert here.code == 0, here.err
    (bench.folder / "results").mkdir()
    words = shlex.join([*bench.command, str(suite), "-q", *cluster.words])
    script = f"mount -t tmpfs none results && {{ {words}; code=$?; cp -r results kept; exit $code; }}"
    there = Bench(bench.folder, bench.environment, [*UNSHARED, "sh", "-c", script])(timeout=180)
    assert there.code == 0 and there.err == "", there.err
    assert there.out == here.out, "nothing of Ray's is on stdout"
    one, other = records(bench, "local"), records(bench, "kept")
    assert [*_numbers(one, bench.folder / "local")] == [*_numbers(other, bench.folder / "kept")]
    for record, log in ((record, f"runs/{record['run']}/logs/{record['cell'][:12]}.log") for record in other):
        assert (bench.folder / "kept" / log).exists() or record["status"] == "ok"
    assert not list((bench.folder / "kept" / ".cache").glob("*.token"))


def _numbers(found: list[Any], folder: Path) -> Iterator[Any]:
    for record in sorted(found, key=lambda record: (record["cell"], record["seeds"])):
        with np.load(folder / "units" / record["units"]) as arrays:
            units = {name: arrays[name].tobytes() for name in sorted(arrays.files)}
        yield record["cell"], record["environment"], record["metrics"], record["auxiliary"], units


def test_the_cells_of_a_node_that_is_lost_run_on_another_one(bench: Bench, cluster: Nodes) -> None:
    bench.write("seen.py", SEEN)
    keys = {"plugins": "[noop.py, seen.py]", "baseline": None, "resources": "{cpus: 1, gpus: 2}"}
    suite = bench.suite(loss="{seen: {value: [1, 2, 3, 4, 5, 6]}}", settings="{pause: 0.4}", **keys)
    process = bench.start(suite, "-q", *cluster.words)
    until_stored(bench, process, 3)
    cluster.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == b"", err.decode()
    checked(bench, cells=6, seeds=8)
    numbers = [record["metrics"]["score"] for record in records(bench)]
    assert numbers == [[2.0] * 4] * 12, "each cell sees the two GPUs of its own"


def test_a_driver_that_is_killed_goes_on_where_it_was(bench: Bench, cluster: Nodes) -> None:
    values = ", ".join(map(str, range(CELLS)))
    suite = bench.suite(loss=f"{{good: {{value: [{values}]}}}}", seeds=4, baseline=None, resources="{cpus: 1}")
    process = bench.start(suite, "-q", *cluster.words)
    until_stored(bench, process, CELLS // 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stored = len(records(bench))
    assert CELLS // 3 <= stored < CELLS
    ended = bench(suite, "-q", *cluster.words, timeout=1200)
    assert ended.code == 0 and all("waiting for a node" in line for line in ended.lines), ended.err
    checked(bench, cells=CELLS, seeds=4)
    assert not _forked(bench.folder), "nothing is left behind"


def _forked(folder: Path) -> list[str]:
    """The processes that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_what_no_node_has_is_one_line_before_anything_is_measured(bench: Bench, cluster: Nodes) -> None:
    ended = bench(bench.suite(resources="{cpus: 1, gpus: 3}"), *cluster.words, timeout=120)
    said = "bench: resources.gpus: a cell takes 3, and no node of the cluster has more than 2\n"
    assert (ended.code, ended.err) == (2, said)
    assert not (bench.folder / "results" / "runs").exists()


def test_files_that_a_node_does_not_have_are_named_before_anything_is_measured(bench: Bench, cluster: Nodes) -> None:
    if subprocess.run([*UNSHARED, "true"], capture_output=True).returncode:
        pytest.skip("this machine has no mounts of a user's own")
    suite = bench.suite(name="hidden/s.yaml", resources="{cpus: 1}")
    shutil.copytree(bench.folder / "hidden", bench.folder / "shown")
    words = shlex.join([*bench.command, str(suite), "-q", *cluster.words])
    script = f"mount -t tmpfs none hidden && cp -r shown/. hidden && echo >> hidden/noop.py && {words}"
    ended = Bench(bench.folder, bench.environment, [*UNSHARED, "sh", "-c", script])(timeout=120)
    assert ended.code == 2 and len(ended.lines) == 1, ended.err
    assert "hidden/noop.py is missing or another one there" in ended.err
    assert "every node needs the files of this machine, at the same paths" in ended.err
    assert not (bench.folder / "results" / "runs").exists()


def test_without_the_extra_its_name_is_said(bench: Bench) -> None:
    bench.write("fake/ray.py", "raise ImportError('no')")
    suite = bench.suite()
    path = os.pathsep.join([str(bench.folder / "fake"), str(ROOT)])
    ended = bench(suite, "--engine", "ray", env={"PYTHONPATH": path})
    assert (ended.code, ended.err) == (
        2,
        "bench: --engine ray needs the extra ray: pip install touchstone-bench[ray]\n",
    )
    ended = bench(suite, "--address", "auto")
    assert ended.code == 2 and "--address auto: the engine local has no address" in ended.err
