"""Descriptions are kept on disk, and made again once any file of the installation has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("harness", "plugins"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def listing(copy: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(copy / "cache")}
    command = [sys.executable, "-P", "-m", "harness", "list", "transform"]
    return subprocess.run(command, env=environment, cwd=copy, check=True, capture_output=True, text=True).stdout


@pytest.mark.verify
def test_a_changed_file_is_described_again_even_where_its_size_is_the_same(copy: Path) -> None:
    before = listing(copy)
    assert len(list((copy / "cache" / "touchstone-bench" / "descriptions").glob("stock-*.json"))) == 1
    assert listing(copy) == before
    file = copy / "plugins" / "transforms" / "softmax.py"
    text = file.read_text()
    (line,) = [line for line in before.splitlines() if line.split()[:1] == ["softmax"]]
    summary = line.split(maxsplit=1)[1]
    changed = summary.replace(summary.split()[0], "X" * len(summary.split()[0]), 1)
    assert text.count(summary) == 1
    file.write_text(text.replace(summary, changed))
    after = listing(copy)
    assert changed in after
    assert after.replace(changed, summary) == before
