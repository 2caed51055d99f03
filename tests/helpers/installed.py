"""This checkout installed as a user installs it, in an environment of its own beside the libraries that are here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.conftest import ROOT

SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "harness", "plugins")
"""What a build reads."""


def checkout(folder: Path) -> Path:
    """A copy of this one in a folder: a build leaves files behind."""
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def environment(folder: Path) -> Path:
    """The Python of a new environment that finds the libraries that are here, and no checkout."""
    venv.EnvBuilder(symlinks=True).create(folder)
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages(folder / "bin" / "python") / "zz-libraries.pth").write_text("\n".join(libraries))
    return folder / "bin" / "python"


def packages(python: Path) -> Path:
    """The folder of an environment's own packages."""
    (folder,) = python.parents[1].glob("lib/*/site-packages")
    return folder


def install(python: Path, *words: str | Path) -> None:
    """Install into an environment without a network: `*words` are a folder and options of pip."""
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, *options, *words], check=True)
