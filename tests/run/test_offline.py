"""`--offline`: nothing is downloaded, and everything that is missing is listed at once, before anything is measured."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness.worker.offline import ENVIRONMENT
from tests.conftest import NOOP, ROOT, Bench

PLUGIN = '''
import os
import socket

import torch
from harness import Dataset, Examples, hookimpl


class Remote(Dataset):
    """A table from elsewhere, kept in a folder."""

    name_there: str
    online: bool = False

    def to_fetch(self):
        return None if os.path.exists(self.name_there) else f"https://data.invalid/{self.name_there}"

    def fetch(self):
        new = not os.path.exists(self.name_there)
        open(self.name_there, "w").close()
        return new

    def load(self, generator):
        if self.online:
            socket.create_connection(("192.0.2.1", 9), timeout=20)
        if not os.path.exists(self.name_there):
            open("loaded without a copy", "w").close()
        return Examples(inputs=torch.zeros(12, 1), targets=torch.arange(12) % 2, classes=2)


@hookimpl
def components():
    return [Remote]
'''


def suite(bench: Bench, *datasets: str) -> None:
    bench.write("remote.py", PLUGIN)
    (bench.folder / "noop.py").symlink_to(NOOP)
    lines = "".join(f"    - {dataset}\n" for dataset in datasets)
    bench.write(
        "s.yaml",
        f"protocol: noop\nplugins: [noop.py, remote.py]\nseeds: 2\nmetrics: [score]\nvary:\n  loss: good\n  dataset:\n{lines}",
    )


def test_all_that_is_missing_is_listed_with_its_place_and_nothing_is_measured(bench: Bench) -> None:
    copy = "{openml: {dataset: iris, path: data/iris}}"
    suite(bench, "{remote: {name_there: [a.bin, b.bin]}}", "tiny", copy)
    ended = bench("s.yaml", "--offline")
    assert ended.code == 2 and ended.out == ""
    assert [line for line in ended.lines if line.startswith("s.yaml:")] == [
        "s.yaml:10:38: data/iris: no copy of iris here: `bench fetch SUITE.yaml` downloads it, where there is a network",
        "s.yaml:8:30: https://data.invalid/a.bin is not on this machine: `bench fetch` downloads it, where there is a network",
        "s.yaml:8:37: https://data.invalid/b.bin is not on this machine: `bench fetch` downloads it, where there is a network",
    ]
    assert not (bench.folder / "results").exists() and not (bench.folder / "loaded without a copy").exists()


@pytest.mark.verify
def test_a_dry_run_says_what_would_be_downloaded_and_fetch_downloads_it(bench: Bench) -> None:
    suite(bench, "{remote: {name_there: [a.bin, b.bin]}}", "tiny")
    said = [f"note: remote would download https://data.invalid/{name}.bin, as `bench fetch` does" for name in "ab"]
    assert [line for line in bench("s.yaml", "--dry-run").out.splitlines() if "download" in line] == said
    assert not (bench.folder / "loaded without a copy").exists()
    refused = bench("fetch", "s.yaml", "--offline")
    assert refused.code == 2 and refused.lines == ["bench: fetch downloads what suites need, which --offline forbids"]
    assert not (bench.folder / "a.bin").exists()
    assert bench("fetch", "s.yaml", "-k", "a.bin").out == "remote(name_there=a.bin): downloaded\n"
    assert bench("fetch", "s.yaml").out.splitlines() == [
        "remote(name_there=a.bin): nothing to download",
        "remote(name_there=b.bin): downloaded",
    ]
    assert "download" not in bench("s.yaml", "--dry-run").out
    (bench.folder / "b.bin").unlink()
    begun = bench("s.yaml", "-q", "--results", "other").lines
    assert begun[0] == "bench: https://data.invalid/b.bin is not on this machine, it is downloaded now"
    (bench.folder / "b.bin").touch()
    ended = bench("s.yaml", "--offline", "-q")
    assert ended.code == 0, ended.err
    for file in ("a.bin", "b.bin"):
        (bench.folder / file).unlink()
    assert bench("s.yaml", "--offline", "-q").code == 0  # no cell needs them any more
    assert bench("s.yaml", "--offline", "-q", "--fresh").code == 2


@pytest.mark.verify
def test_the_network_is_refused_to_code_that_would_use_it(bench: Bench) -> None:
    (bench.folder / "a.bin").touch()
    suite(bench, "{remote: {name_there: a.bin, online: true}}")
    ended = bench("s.yaml", "--offline", "--json", "-")
    assert ended.code == 4 or ended.code == 3
    assert "the network is not used, since --offline forbids it" in ended.json["cells"][0]["reason"]


def test_connections_to_this_machine_are_left_alone() -> None:
    script = """
import socket, sys, tempfile
from harness.worker import offline
offline.obey()
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
socket.create_connection(("localhost", server.getsockname()[1])).close()
local = socket.socket(socket.AF_UNIX)
local.bind(tempfile.mkdtemp() + "/s")
local.listen()
socket.socket(socket.AF_UNIX).connect(local.getsockname())
for call in (lambda: socket.getaddrinfo("example.invalid", 80), lambda: socket.socket().connect(("192.0.2.1", 80)),
             lambda: socket.gethostbyname("example.invalid")):
    try:
        call()
    except OSError as error:
        print(error.errno)
"""
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [str(errno.ENETUNREACH)] * 3


@pytest.mark.verify
def test_a_pipeline_of_the_hub_is_missing_until_the_librarys_cache_has_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    made = harness.component("denoiser", "diffusers", pipeline="someone/something")
    assert made.to_fetch() == "someone/something"
    kept = tmp_path / "models--someone--something"
    for name in ("unet/config.json", "scheduler/scheduler_config.json", "unet/diffusion_pytorch_model.bin"):
        assert made.to_fetch() == "someone/something"
        file = kept / "snapshots" / "abc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({}))
        (kept / "refs").mkdir(exist_ok=True)
        (kept / "refs" / "main").write_text("abc")
    assert made.to_fetch() is None and made.fetch() is False
    shutil.rmtree(kept)
    assert harness.component("denoiser", "diffusers", pipeline=str(tmp_path)).to_fetch() is None  # a folder
    with pytest.raises(harness.BenchError, match=r"no folder \./not/there"):
        harness.component("denoiser", "diffusers", pipeline="./not/there").to_fetch()


@pytest.mark.verify
def test_pipelines_that_are_missing_are_listed_with_their_places(bench: Bench) -> None:
    bench.write(
        "g.yaml",
        "protocol: generation\nvary:\n  denoiser: [gaussian, {diffusers: {pipeline: [us/one, us/two]}}]\n  sampler: ddim\n"
        "settings: {steps: 2, samples: 8}\nseeds: 1\nmetrics: [nfe]\n",
    )
    env = {"HF_HOME": str(bench.folder / "hub")}
    ended = bench("g.yaml", "--offline", env=env)
    assert ended.code == 2, ended.err
    told = [line for line in ended.lines if line.startswith("g.yaml:")]
    assert [line.split(" is not")[0] for line in told] == ["g.yaml:3:48: us/one", "g.yaml:3:56: us/two"]
