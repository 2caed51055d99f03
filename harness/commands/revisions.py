"""A revision of a repository: its worktree, its packages first on the path, built where they are compiled."""

from __future__ import annotations

import compileall
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.discovery.sources import HARNESS, is_installed
from harness.errors import BenchError
from harness.run.context import Moved

ROOT = HARNESS.parent
COMPILED = ("*.so", "*.pyd")
"""Files that git does not hold and a worktree lacks, so that a revision with such files is built."""


class Revision(NamedTuple):
    """A revision that is checked out: its commit, the path of its modules, and where files of the repository are."""

    commit: str
    path: Sequence[str]
    moved: Moved


@contextlib.contextmanager
def checked_out(text: str, suite: Path) -> Iterator[Revision]:
    """Yield a revision of the repository that holds a suite, else of this harness's own; its worktree is removed.

    Both checkouts are compiled first: code compiled at import has another memory layout and is some 2 % slower.
    """
    repository, commit = _found(text, suite.resolve().parent)
    with tempfile.TemporaryDirectory() as above:
        worktree = Path(above) / "revision"
        _git(repository, "worktree", "add", "--detach", "--quiet", str(worktree), commit, what=f"no worktree of {text}")
        try:
            for folder in (repository, worktree):
                _compile(folder)
            if repository == ROOT:
                yield Revision(commit, [str(worktree), *filter(None, sys.path)], Moved())
            else:
                moved = Moved(str(repository), str(worktree))
                built = _built(repository, worktree, Path(above) / "built")
                yield Revision(commit, [*built, *_path(moved, suite)], moved)
        finally:
            _git(repository, "worktree", "remove", "--force", str(worktree), what="the worktree cannot be removed")


def _found(text: str, folder: Path) -> tuple[Path, str]:
    """Return the repository that knows a revision, and its commit. Raises BenchError if none does."""
    for place in (folder, ROOT):
        try:
            top = Path(_git(place, "rev-parse", "--show-toplevel", what="no repository"))
            found = _git(top, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}", what="no revision")
        except BenchError:
            continue
        if place == folder or top == ROOT:
            return top, found
    raise BenchError(f"--against: no stored run and no revision {text!r}")


def _path(moved: Moved, suite: Path) -> list[str]:
    """Return this process's path with what is in the repository moved to the worktree, the suite's folder first."""
    entries = [str(suite.resolve().parent), *filter(None, sys.path)]
    there = [moved.to(entry) for entry in entries]
    return [new if Path(new).exists() else old for old, new in zip(entries, there, strict=True)]


def _built(repository: Path, worktree: Path, to: Path) -> list[str]:
    """Build the packages of a worktree where this repository has compiled ones that git does not hold."""
    others = _git(repository, "ls-files", "--others", "--", *COMPILED, what="its files cannot be listed")
    compiled = [name for name in others.splitlines() if not is_installed(Path(name))]
    if not compiled or not any((worktree / name).is_file() for name in ("pyproject.toml", "setup.py")):
        return []
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*words, "--target", str(to), str(worktree)], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
        raise BenchError(f"--against: {compiled[0]} is compiled here, and the revision cannot be built: {last}")
    return [str(to)]


def _compile(folder: Path) -> None:
    files = _git(folder, "ls-files", "-z", "--", "*.py", what="its files cannot be listed")
    for name in filter(None, files.split("\0")):
        with contextlib.suppress(OSError):  # a folder that may not be written
            compileall.compile_file(folder / name, quiet=2)


def _git(folder: Path, *words: str, what: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or "").strip().splitlines()
        raise BenchError(f"--against: {what}{f': {said[-1]}' if said else ''}") from None
    return done.stdout.strip()
