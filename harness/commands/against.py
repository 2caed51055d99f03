"""`--against`: compare with another revision or environment, measured in the same blocks, or with a stored run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from harness.analysis.exit_status import exit_code
from harness.commands.compare import compare
from harness.discovery.sources import HARNESS
from harness.errors import BenchError
from harness.machine import same_addresses
from harness.results import Run, runs
from harness.run.aa_test import doubled
from harness.run.load import LoadedSuite
from harness.worker.supervisor import Server

ROOT = HARNESS.parent
HERE = "here"


class Opponent(NamedTuple):
    """Code to compare with: the name shown, its revision, and the server that its cells run in."""

    name: str
    revision: str
    server: Server


def earlier(text: str | None, results: Path) -> Run | None:
    """Return the stored run that a text names; None if there is none, so that the text may be a revision."""
    try:
        return runs.stored(results, text) if text else None
    except BenchError:
        return None


def since(before: Run, after: Run, conditions: Sequence[str], results: Path, server: Server) -> Run:
    """Compare two runs as `bench compare` does; the exit code is that of the later run or follows from `--fail-on`."""
    found = replace(compare(before, after, results, server), exit=after.exit)
    return replace(found, exit=exit_code(found, conditions))


def beside(text: str | None) -> Sequence[str]:
    """Return the words that start this code's own server in the same way as its opponent's."""
    return same_addresses() if text else ()


@contextlib.contextmanager
def opponents(text: str | None) -> Iterator[list[Opponent]]:
    """Yield the opponent that a text names, ready: a git revision in its own worktree, or `python:PATH`.

    Yields an empty list without a text. Raises BenchError for any other text.
    """
    if text is None:
        yield []
    elif text.startswith("python:"):
        python = text.removeprefix("python:")
        if not os.access(python, os.X_OK) or not Path(python).is_file():
            raise BenchError(f"--against {text}: no Python is there")
        with tempfile.TemporaryDirectory() as linked:
            Path(linked, "harness").symlink_to(HARNESS)  # this code alone: all else comes from that environment
            with Server(python, [linked], beside(text)) as server:
                yield [Opponent(text, _installed(python, linked, text), server)]
    else:
        path = filter(None, sys.path)
        with _worktree(text) as (folder, commit), Server(None, [folder, *path], beside(text)) as server:
            yield [Opponent(text, commit, server)]


def challenged(prepared: LoadedSuite, found: list[Opponent]) -> LoadedSuite:
    """Return the suite with every cell twice, for both codes. Raises BenchError if its cells are not interleaved."""
    if not found:
        return prepared
    protocol = prepared.suite.protocol
    if not prepared.catalogue.table["protocol", protocol]["facts"].get("interleaved"):
        raise BenchError(f"--against {found[0].name}: cells of {protocol} do not take turns, those of speed do")
    return doubled(prepared, "revision", {found[0].name: found[0].revision, HERE: None})


def _installed(python: str, path: str, text: str) -> str:
    """Identify another environment by the packages that are installed there. Raises BenchError if it has too few."""
    code = "from harness.discovery import contents; print(contents.of_environment())"
    environment = dict(os.environ, PYTHONPATH=path)
    found = subprocess.run([python, "-P", "-c", code], env=environment, capture_output=True, text=True)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise BenchError(f"--against {text}: cannot be used: {last}")
    return f"python {found.stdout.strip()}"


@contextlib.contextmanager
def _worktree(revision: str) -> Iterator[tuple[str, str]]:
    """Yield (folder, commit) of a revision of this code's checkout; the worktree is removed afterwards.

    Both checkouts are compiled first: code compiled at import has another memory layout and is some 2 % slower.
    """
    import compileall

    commit = _git(
        "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", what=f"no stored run and no revision {revision!r}"
    )
    with tempfile.TemporaryDirectory() as above:
        folder = str(Path(above) / "revision")
        _git("worktree", "add", "--detach", "--quiet", folder, commit, what=f"no worktree of {revision}")
        try:
            for code in (folder, str(ROOT)):
                for part in ("harness", "plugins"):
                    compileall.compile_dir(Path(code) / part, quiet=2)
            yield folder, commit
        finally:
            _git("worktree", "remove", "--force", folder, what="the worktree cannot be removed")


def _git(*words: str, what: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", "") or "").strip().splitlines()
        raise BenchError(f"--against: {what}{f': {said[-1]}' if said else ''}") from None
    return done.stdout.strip()
