"""`--against`: compare with another revision or environment, measured beside this one, or with a stored run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from harness.analysis.exit_status import exit_code
from harness.commands.compare import AFTER, RUN, check_comparable, compare
from harness.commands.revisions import checked_out
from harness.discovery.sources import HARNESS
from harness.errors import BenchError
from harness.fields import Json
from harness.machine import same_addresses
from harness.results import GateRule, Run, runs
from harness.results.codec import typed
from harness.run.aa_test import doubled
from harness.run.context import Elsewhere
from harness.run.load import LoadedSuite
from harness.suite.gates import COMPARING
from harness.worker.supervisor import Server

REVISION, HERE = "revision", "here"
"""The axis of a run with `--against` another code, and the label of this one."""


class Opponent(NamedTuple):
    """Code to compare with: the name shown, its revision, and where its cells run."""

    name: str
    revision: str
    elsewhere: Elsewhere


def earlier(text: str | None, results: Path) -> Path | None:
    """Return the file of the run that a text names; None if there is none, so that the text may be a revision."""
    try:
        return runs.place(results, text) if text and runs.stored(results, text) else None
    except BenchError:
        return None


def since(
    before: Path,
    after: Run,
    gates: Sequence[Mapping[str, Json]],
    conditions: Sequence[str],
    results: Path,
    server: Server,
) -> Run:
    """Compare a run with a stored one, as `bench compare` does.

    `gates` that compare hold between the two, in place of any baseline in the suite; the others are the later run's.
    The exit code is that of its measurement or follows from the gates and `--fail-on`.
    """
    comparing = [typed(GateRule, gate) for gate in gates if gate["rule"] in COMPARING]
    with runs.opened(results, str(before)) as stored:
        found = compare(stored, (after, results), server, comparing)
    bounds = (replace(gate, vary={**gate.vary, RUN: AFTER}) for gate in after.gates if gate.rule not in COMPARING)
    measured = after.exit if after.exit != 1 else 0
    found = replace(found, gates=(*bounds, *found.gates), exit=measured)
    return replace(found, exit=exit_code(found, conditions))


def beside(text: str | None) -> Sequence[str]:
    """Return the words that start this code's own server in the same way as its opponent's."""
    return same_addresses() if text else ()


@contextlib.contextmanager
def opponents(text: str | None, suite: Path) -> Iterator[list[Opponent]]:
    """Yield the opponent that a text names, ready: a git revision in its own worktree, or `python:PATH`.

    The revision is one of the repository that holds the suite, else of this harness. Yields an empty list without a
    text. Raises BenchError for any other text.
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
                yield [Opponent(text, _installed(python, linked, text), Elsewhere(server))]
    else:
        with checked_out(text, suite) as found, Server(None, found.path, beside(text)) as server:
            yield [Opponent(text, found.commit, Elsewhere(server, found.moved))]


def challenged(prepared: LoadedSuite, found: list[Opponent]) -> LoadedSuite:
    """Return the suite with every cell twice, for both codes. Raises BenchError if its cells run programs."""
    if not found:
        return prepared
    programs = [text for kind, spec in prepared.specs() for text in prepared.catalogue.commands(kind, spec)]
    if programs:
        why = (
            "programs are those of this folder: run the suite in both, then bench compare RUN RUN --fail-on regression"
        )
        raise BenchError(f"--against {found[0].name}: {why}", str(prepared.document.place_of_text(programs[0])))
    return doubled(prepared, REVISION, {found[0].name: found[0].revision, HERE: None})


def alone(prepared: LoadedSuite, before: Path, results: Path) -> LoadedSuite:
    """Return a suite that is compared with an earlier run as it is measured: without a baseline no gate compares.

    Raises BenchError if the two have nothing in common.
    """
    suite, rows = prepared.suite, [cell.vary for cell in prepared.cells]
    check_comparable(runs.stored(results, str(before)), suite.name, suite.protocol, rows, set(suite.metrics))
    gates = [gate for gate in suite.gates if suite.baseline is not None or gate["rule"] not in COMPARING]
    return replace(prepared, suite=replace(suite, gates=gates))


def _installed(python: str, path: str, text: str) -> str:
    """Identify another environment by the packages that are installed there. Raises BenchError if it has too few."""
    code = "from harness.discovery import contents; print(contents.of_environment())"
    environment = dict(os.environ, PYTHONPATH=path)
    found = subprocess.run([python, "-P", "-c", code], env=environment, capture_output=True, text=True)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise BenchError(f"--against {text}: cannot be used: {last}")
    return f"python {found.stdout.strip()}"
