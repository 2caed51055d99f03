"""Failures in detail: the traceback of a row that ended without a result, beside the log of its process.

They are kept in the run's folder, not in a record: a traceback names files of this machine.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from harness.errors import BenchError, Raised
from harness.results.store import write, writing

LOGS = "logs"
"""Folder of the logs in a run's folder."""
NAMED = 12
"""Characters of a cell's id, or of an artifact's key, in the name of its log."""


class FailureDetails(TypedDict):
    """Details of a row's failure: the name of its process's log, and its exceptions, the one that ended it last."""

    log: str
    trace: list[Raised]


def cell_log(identity: str) -> str:
    """Return the name, without suffix, of the log of a cell."""
    return identity[:NAMED]


def artifact_log(key: str) -> str:
    """Return the name, without suffix, of the log of an artifact."""
    return f"artifact-{key[:NAMED]}"


def keep(run: Path, identity: str, log: str, trace: Sequence[Raised]) -> None:
    """Write the details of a cell's failure into a run's folder, if that is possible: no measurement is lost for them.

    `log` is the name of the log without suffix.
    """
    details: FailureDetails = {"log": f"{log}.log", "trace": [*trace]}
    file = run / LOGS / f"{cell_log(identity)}.json"
    with contextlib.suppress(BenchError), writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, f"{json.dumps(details)}\n")


def details(run: Path, identity: str) -> FailureDetails:
    """Return the details of a cell's failure; without a trace where none was kept.

    Raises BenchError for a file that is none.
    """
    import msgspec

    file = run / LOGS / f"{cell_log(identity)}.json"
    if not file.is_file():
        return {"log": f"{cell_log(identity)}.log", "trace": []}
    try:
        found = msgspec.json.decode(file.read_bytes(), type=FailureDetails)
    except (OSError, ValueError) as error:
        raise BenchError(f"cannot be read: {error}", str(file)) from None
    return {**found, "log": Path(found["log"]).name}
