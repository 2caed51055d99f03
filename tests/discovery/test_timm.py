"""Networks of timm and torchvision by import path, in an environment of their own beside the packages of this one."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.conftest import ROOT, Bench

pytestmark = pytest.mark.verify

WITHOUT_OPERATORS = "torchvision==0.15.2"
"""The last torchvision whose part in Python can be imported where its compiled operators do not fit torch."""
NETS = """
import timm
import torchvision


def tiny(inputs, outputs):
    return timm.create_model("test_resnet", in_chans=inputs[0], num_classes=outputs)


def shuffled(inputs, outputs):
    return torchvision.models.shufflenet_v2_x0_5(num_classes=outputs)
"""
SUITE = """
question: Do networks of libraries train?
protocol: accuracy
vary:
  dataset: {npz: {path: images.npz}}
  model: ["timm.models:test_resnet", "nets:tiny", "torchvision.models:shufflenet_v2_x0_5", "nets:shuffled"]
  loss: cross_entropy
settings: {epochs: 8, batch: 16, lr: 0.003}
seeds: 1
metrics: [accuracy, nll]
"""


def run(*words: str | Path) -> str | None:
    """The last line that a failing command prints; None where it does not fail."""
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    said = [line for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return None if ended.returncode == 0 else (said or ["it printed nothing"])[-1]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a virtual environment with timm, where that can be installed and imported."""
    folder = tmp_path_factory.mktemp("venv")
    if said := run(sys.executable, "-m", "venv", folder):
        pytest.skip(f"no virtual environment: {said}")
    own, here = folder / "bin" / "python", sysconfig.get_paths()
    inside = subprocess.run([own, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
                            capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    Path(inside, "beside.pth").write_text(f"{here['purelib']}\n{here['platlib']}\n")
    install = (own, "-m", "pip", "install", "-q", "--no-compile")
    if said := run(*install, "-c", ROOT / "constraints.txt", "timm"):
        pytest.skip(f"timm cannot be installed: {said}")
    if run(own, "-c", "import timm"):
        run(*install, "--no-deps", WITHOUT_OPERATORS)
    if said := run(own, "-c", "import timm, torchvision.models"):
        pytest.skip(f"timm and torchvision cannot be imported: {said}")
    return own


def test_networks_of_timm_and_torchvision_train_by_import_path(
    python: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    bench = Bench(tmp_path, environment, (str(python), "-P", "-m", "harness"))  # torchvision warns of its operators
    images, labels = load_digits(n_class=3, return_X_y=True)
    pictures = np.kron(images.reshape(-1, 1, 8, 8), np.ones((1, 3, 4, 4))).astype(np.float32)
    np.savez(tmp_path / "images.npz", x=pictures[:240], y=labels[:240])
    bench.write("nets.py", NETS)
    bench.write("s.yaml", SUITE)
    ended = bench("s.yaml", "--json", "-", timeout=600)
    assert ended.code == 0, ended.err
    rows = {cell["vary"]["model"]: cell["metrics"] for cell in ended.json["cells"]}
    for path, ours in (
        ("timm.models:test_resnet", "nets:tiny"),
        ("torchvision.models:shufflenet_v2_x0_5", "nets:shuffled"),
    ):
        same = rows[path]["nll"]["values"] == rows[ours]["nll"]["values"]
        assert same, "built from the same stream, in the same sizes"
    assert rows["timm.models:test_resnet"]["accuracy"]["mean"] > 0.5, "one of three classes"
