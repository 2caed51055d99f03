"""Environment of measurements: versions, machine, threads."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery.contents import of_plugin
from harness.discovery.digests import digest
from harness.discovery.sources import HARNESS, Source
from harness.machine import cores, versions

if TYPE_CHECKING:
    from harness.fields import Json


def threads_per_cell() -> int:
    """Return the threads of a cell: OMP_NUM_THREADS where it is set to a number, otherwise two if there are two cores.

    The number is part of a cell's identity.
    """
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # a list has one number a level
    return int(said) if said.isdecimal() and int(said) else min(2, cores())


def cores_per_cell() -> int:
    """Return the cores that a cell takes by default: two if there are, or one for each of more threads."""
    return max(min(2, cores()), threads_per_cell())


def environment(
    device: str, threads: int, plugins: Iterable[Source], folder: Path, results: Path | None = None
) -> dict[str, Json]:
    """Return the environment of measurements, without host, user and paths.

    `folder` is that of the suite; what is new under `results` does not make its repository dirty.
    """
    from harness import __version__

    strangers = {source for source in plugins if source.origin != "stock"}
    return {
        **versions(),
        "device": device,
        "threads": threads,
        "harness": __version__,
        "harness_commit": commit(),
        **repository(folder, results),
        "plugins": {s.name: digest(of_plugin(s))[:12] for s in sorted(strangers, key=lambda s: s.name)},
    }


def repository(folder: Path, results: Path | None = None) -> dict[str, Json]:
    """Return the commit of the user's repository around a folder and whether it is dirty; None for both outside of one.

    It is dirty where a file has changed, or is new and not ignored, but for those under `results` and compiled modules.
    """
    outside: dict[str, Json] = {"commit": None, "dirty": None}
    root = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if root is None:
        return outside
    words = ["git", "-C", str(root), "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--"]
    words += [".", ":(exclude,glob)**/__pycache__/**"]
    if results is not None and results.resolve().is_relative_to(root):
        words.append(f":(exclude,literal){results.resolve().relative_to(root)}")
    try:
        found = subprocess.run(words, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return outside
    head, *lines = found.stdout.splitlines() or [""]
    commit = head.removeprefix("# branch.oid ")
    if found.returncode != 0 or commit in (head, "(initial)"):
        return outside
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}


def commit() -> str | None:
    """Return the commit of this code's checkout, read from the repository's files; None outside of one."""
    git = HARNESS.parent / ".git"
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        return (git / head.removeprefix("ref: ")).read_text().strip()
    except OSError:
        return None
