"""A new user's machine: the installed wheel in an environment of its own, an empty folder, and the documentation."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Bench
from tests.docs.blocks import files
from tests.helpers import installed

DOCS = ROOT / "docs"
Documented = Callable[[str], None]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The activated environment of the wheel, which no checkout is visible from."""
    above = tmp_path_factory.mktemp("machine")
    python = installed.environment(above / "venv")
    installed.install(python, installed.checkout(above / "checkout"))
    made = {key: value for key, value in os.environ.items() if key in ("HOME", "LANG", "TMPDIR")}
    made |= {"PATH": f"{python.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(above / "cache")}
    made |= {"COLUMNS": "100", "CUDA_VISIBLE_DEVICES": ""}
    words = ["python", "-c", "import harness; print(harness.__file__)"]
    found = subprocess.run(words, cwd=above, env=made, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).is_relative_to(installed.packages(python))
    return made


@pytest.fixture
def bench(environment: dict[str, str], tmp_path: Path) -> Bench:
    """The installed command in an empty folder."""
    return Bench(tmp_path, environment, ("bench",))


def program(bench: Bench, *command: str) -> Bench:
    """Another program in the same folder and environment."""
    return dataclasses.replace(bench, command=command)


@pytest.fixture
def documented(bench: Bench) -> Documented:
    """Writes the files that a page of the documentation shows into the empty folder."""

    def written(page: str) -> None:
        for name, text in files((DOCS / page).read_text()).items():
            bench.write(name, text)

    return written
