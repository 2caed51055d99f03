"""Access to finished runs by `last`, an id, a folder or a file, and to their records."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.discovery.digests import digest
from harness.errors import BenchError
from harness.results import packed
from harness.results.codec import from_json
from harness.results.model import Run
from harness.results.records import Record
from harness.results.store import Store

UNRELATED = ("commit", "dirty", "harness_commit", "repository", "plugins", "device", "doctor")
"""Parts of the environment that do not affect stored numbers; relevant parts of these are in a cell's id."""


def stored(results: Path, which: str) -> Run:
    """Return a finished run: `last`, `last~1`, an id or its beginning, a folder or a file, packed or not.

    Raises BenchError if there is none, or several.
    """
    return _read(place(results, which))


@contextlib.contextmanager
def opened(results: Path, which: str) -> Iterator[tuple[Run, Path]]:
    """Yield a finished run and the results folder with its records: a temporary one if the run is packed."""
    file = place(results, which)
    if not packed.is_packed(file):
        yield _read(file), results
        return
    with tempfile.TemporaryDirectory() as folder:
        packed.unpack(file, Path(folder))
        yield _read(file), Path(folder)


def place(results: Path, which: str) -> Path:
    """Return the file of a finished run. Raises BenchError if there is none, or several."""
    path = Path(which)
    if path.is_file() or (path / "result.json").is_file():
        return path if path.is_file() else path / "result.json"
    every = (results / "runs").glob("*/result.json")
    found = sorted((file for file in every if file.is_file()), key=lambda file: file.parent.name)
    if not found:
        raise BenchError(f"no run {which!r}: nothing is stored under {results}")
    back = re.fullmatch(r"last(?:~(\d+))?", which)
    if back:
        steps = int(back[1] or 0)
        if steps >= len(found):
            raise BenchError(f"no run {which!r}: {len(found)} are stored under {results}")
        return found[-1 - steps]
    named = [file for file in found if file.parent.name.startswith(which)]
    if len(named) != 1:
        names = ", ".join(file.parent.name for file in (named or found)[-5:])
        raise BenchError(f"{'several runs begin with' if named else 'no run'} {which!r} (choose from {names})")
    return named[0]


def environment_digest(environment: Mapping[str, object]) -> str:
    """Return the digest of those parts of the environment that decide whether stored numbers may be reused."""
    return digest({key: value for key, value in environment.items() if key not in UNRELATED})


def records(run: Run, results: Path) -> Iterator[Record]:
    """Yield the records of a run's rows under a results folder, measured in its environment, oldest first."""
    here = environment_digest(run.environment)
    cells = {row.id for row in run.cells}
    for record in Store(results, "").all():
        if record["cell"] in cells and record.get("environment") == here:
            yield record


def _read(file: Path) -> Run:
    try:
        found = packed.result(file) if packed.is_packed(file) else json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BenchError(f"not the JSON of a result: {error}", str(file)) from None
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror}", str(file)) from None
    return from_json(found, str(file))
