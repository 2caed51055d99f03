"""`--against`: another revision or environment takes its turn in the same blocks; a stored run is looked back at."""

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
    """What the code here is compared with: the name shown, what identifies it, and the server its cells run in."""

    name: str
    revision: str
    server: Server


def earlier(text: str | None, results: Path) -> Run | None:
    """The stored run that a text stands for; None where it stands for none, so that it may be a revision."""
    try:
        return runs.stored(results, text) if text else None
    except BenchError:
        return None


def since(before: Run, after: Run, conditions: Sequence[str], results: Path, server: Server) -> Run:
    """What `bench compare` says of both runs; it ends as the later does, or by what of `--fail-on` is true of it."""
    found = replace(compare(before, after, results, server), exit=after.exit)
    return replace(found, exit=exit_code(found, conditions))


def beside(text: str | None) -> Sequence[str]:
    """The words that this code's own server is started by, as that of its opponent is."""
    return same_addresses() if text else ()


@contextlib.contextmanager
def opponents(text: str | None) -> Iterator[list[Opponent]]:
    """The opponent that a text stands for, ready: a git revision in a worktree of its own, or `python:PATH`.

    None where there is no text. Raises BenchError for what is neither.
    """
    if text is None:
        yield []
    elif text.startswith("python:"):
        python = text.removeprefix("python:")
        if not os.access(python, os.X_OK) or not Path(python).is_file():
            raise BenchError(f"--against {text}: no Python is there")
        with Server(python, [str(ROOT)], beside(text)) as server:
            yield [Opponent(text, text, server)]
    else:
        path = filter(None, sys.path)
        with _worktree(text) as (folder, commit), Server(None, [folder, *path], beside(text)) as server:
            yield [Opponent(text, commit, server)]


def challenged(prepared: LoadedSuite, found: list[Opponent]) -> LoadedSuite:
    """The suite with every cell twice, there and here. Raises BenchError where its cells do not take turns."""
    if not found:
        return prepared
    protocol = prepared.suite.protocol
    if not prepared.catalogue.table["protocol", protocol]["facts"].get("interleaved"):
        raise BenchError(f"--against {found[0].name}: cells of {protocol} do not take turns, those of speed do")
    return doubled(prepared, "revision", {found[0].name: found[0].revision, HERE: None})


@contextlib.contextmanager
def _worktree(revision: str) -> Iterator[tuple[str, str]]:
    """(folder, commit) of a revision of the checkout that this code runs from; gone afterwards.

    Both are compiled: what Python compiles at its first import lies otherwise in memory, and is some 2 % slower.
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
