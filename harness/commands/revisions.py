"""A revision of a repository: its worktree, its packages first on the path, built where they are compiled."""

from __future__ import annotations

import compileall
import contextlib
import importlib.util
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
                found = _modules(repository, moved, Path(above) / "absent")
                yield Revision(commit, [*built, *_path(moved, suite), *found], moved)
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


def _modules(repository: Path, moved: Moved, absent: Path) -> list[str]:
    """Return where the worktree has the modules that are imported from the repository here.

    An editable install finds them by a hook, without the path. One that the revision lacks is in `absent` and cannot be
    imported, so that this checkout's is not taken for it.
    """
    found: dict[str, None] = {}
    for name, folder in _imported(repository).items():
        there = Path(moved.to(str(folder)))
        if any((there / each).exists() for each in (name, f"{name}.py")):
            found[str(there)] = None
        else:
            absent.mkdir(exist_ok=True)
            (absent / f"{name}.py").write_text(f"raise ModuleNotFoundError(\"this revision has no module '{name}'\")\n")
            found[str(absent)] = None
    return list(found)


def _imported(repository: Path) -> dict[str, Path]:
    """Return the folder of every top-level module that git holds and that this process would import from there."""
    found: dict[str, Path] = {}
    files = {Path(name) for name in _files(repository)}
    for file in files:
        top = file if file.name != "__init__.py" else file.parent
        while top.parent / "__init__.py" in files:
            top = top.parent
        if top.stem not in found and (folder := _folder(top.stem)) and _holds(repository, folder):
            found[top.stem] = folder
    return found


def _holds(repository: Path, folder: Path) -> bool:
    return folder.is_relative_to(repository) and not is_installed(folder)


def _folder(name: str) -> Path | None:
    """Return the folder in which a top-level module is found; None if there is none, or none with a file."""
    try:
        spec = importlib.util.find_spec(name) if name.isidentifier() else None
    except (ImportError, ValueError):  # a module of that name that was loaded in another way
        return None
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin).resolve()
    return origin.parent.parent if spec.submodule_search_locations else origin.parent


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


def _files(folder: Path) -> list[str]:
    listed = _git(folder, "ls-files", "-z", "--", "*.py", what="its files cannot be listed")
    return [*filter(None, listed.split("\0"))]


def _compile(folder: Path) -> None:
    for name in _files(folder):
        with contextlib.suppress(OSError):  # a folder that may not be written
            compileall.compile_file(folder / name, quiet=2)


def _git(folder: Path, *words: str, what: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or "").strip().splitlines()
        raise BenchError(f"--against: {what}{f': {said[-1]}' if said else ''}") from None
    return done.stdout.strip()
