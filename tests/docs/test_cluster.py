"""The scripts for clusters, as the page has them: every task a process of its own, with the variables of its system."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.blocks import ROOT, Folder, files

PAGE = (ROOT / "docs" / "cluster.md").read_text()
FILES = files(PAGE)
TINY = (
    "suite: tiny\nprotocol: transform\nvary: {transform: [softmax, gaussian, exponential, sparsemax]}\nseeds: 1\n"
    "settings: {n: [3, 4], batch: 8}\nmetrics: [normalization_error, negativity]\n"
)
KUBERNETES = yaml.safe_load(FILES["job.yml"])
POD = KUBERNETES["spec"]["template"]["spec"]
SKY = yaml.safe_load(FILES["sky.yml"])


class Nodes(Folder):
    """A folder in which scripts run as the tasks of a job."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(PAGE, folder, environment)
        self.work = folder / "work"
        (self.work / "tiny.yaml").write_text(TINY)

    def run(self, script: str, tasks: Sequence[Mapping[str, str]], **settings: str) -> list[int]:
        """The exit codes of a script, run once for every task, all at once."""
        given = {**self._environment, "SUITE": "tiny.yaml", **settings}
        running = [subprocess.Popen(["bash", "-c", script], cwd=self.work, env={**given, **task},
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for task in tasks]  # fmt: skip
        for process in running:
            process.communicate(timeout=300)
        return [process.returncode for process in running]

    def dry(self) -> str:
        """The dry run of the whole suite at the end."""
        return self.shell("bench tiny.yaml --device cpu --dry-run")


@pytest.fixture
def nodes(environment: dict[str, str], tmp_path: Path) -> Nodes:
    return Nodes(tmp_path, environment)


@pytest.mark.verify
def test_the_array_of_slurm(nodes: Nodes) -> None:
    tasks = [{"SLURM_ARRAY_TASK_ID": str(number)} for number in range(1, 4)]
    assert nodes.run(FILES["array.sh"], tasks, SHARDS="3") == [0, 0, 0]
    assert "0 cells to do, 8 reused" in nodes.dry()
    assert nodes.run(FILES["array.sh"], [{"SLURM_ARRAY_TASK_ID": "20"}], SHARDS="20") == [0], "nothing is left for it"
    assert nodes.run(FILES["array.sh"], tasks[:1], SHARDS="0") == [2]


@pytest.mark.verify
def test_the_indexed_job_of_kubernetes(nodes: Nodes) -> None:
    (container,) = POD["containers"]
    assert container["command"] == ["bash", "-c"] and KUBERNETES["spec"]["completionMode"] == "Indexed"
    given = {each["name"]: each["value"] for each in container["env"]}
    assert int(given["SHARDS"]) == KUBERNETES["spec"]["completions"]
    (script,) = container["args"]
    tasks = [{"JOB_COMPLETION_INDEX": str(index)} for index in range(2)]
    assert nodes.run(script, tasks, SHARDS="2", RESULTS="results") == [0, 0]
    assert "0 cells to do, 8 reused" in nodes.dry()


@pytest.mark.verify
def test_the_nodes_of_skypilot_and_the_merge_of_their_folders(nodes: Nodes) -> None:
    assert {*SKY["envs"]} == {"SUITE", "RESULTS", "OUT"} and SKY["envs"]["OUT"] in SKY["file_mounts"]
    tasks = [{"SKYPILOT_NODE_RANK": str(rank), "RESULTS": f"local-{rank}"} for rank in range(2)]
    settings: dict[str, Any] = {"SKYPILOT_NUM_NODES": "2", "OUT": "out"}
    assert nodes.run(SKY["run"], tasks, **settings) == [0, 0]
    nodes.shell("bench merge out/node-0 out/node-1")
    assert "0 cells to do, 8 reused" in nodes.dry()
    recovered = {**tasks[0], "RESULTS": "another-disk"}
    assert nodes.run(SKY["run"], [recovered], **settings) == [0]
    written = list((nodes.work / "another-disk" / "records").iterdir())
    assert len(written) == 1, "what the first node had was merged, and nothing measured again"
