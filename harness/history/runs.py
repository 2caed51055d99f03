"""Finished runs: found again by `last`, an id, a folder or a file; and the records that they were made from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BenchError
from harness.planning.record import Store
from harness.planning.tasks import Plan


def stored(results: Path, which: str) -> dict[str, Any]:
    """A finished run's result: `last`, `last~1`, an id or its beginning, a folder or a file.

    Raises BenchError where there is none, or several.
    """
    path = Path(which)
    if path.is_file() or (path / "result.json").is_file():
        return _read(path if path.is_file() else path / "result.json")
    found = sorted(
        (f for f in (results / "runs").glob("*/result.json")), key=lambda f: (f.stat().st_mtime, f.parent.name)
    )
    if not found:
        raise BenchError(f"no run {which!r}: nothing is stored under {results}")
    back = re.fullmatch(r"last(?:~(\d+))?", which)
    if back:
        steps = int(back[1] or 0)
        if steps >= len(found):
            raise BenchError(f"no run {which!r}: {len(found)} are stored under {results}")
        return _read(found[-1 - steps])
    named = [file for file in found if file.parent.name.startswith(which)]
    if len(named) != 1:
        names = ", ".join(file.parent.name for file in (named or found)[-5:])
        raise BenchError(f"{'several runs begin with' if named else 'no run'} {which!r} (choose from {names})")
    return _read(named[0])


def records(result: Mapping[str, Any], results: Path) -> Iterator[dict[str, Any]]:
    """The records of a result's cells under a results folder, measured in its environment, oldest first."""
    here = Plan([], {}, dict(result.get("environment") or {})).digest
    cells = {cell["id"] for cell in result.get("cells") or []}
    for record in Store(results, "").all():
        if record["cell"] in cells and record.get("environment") == here:
            yield record


def _read(file: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(file.read_bytes())
        if data["schema"] == 1:
            return data
        raise BenchError(f"a result of schema {data['schema']}: this version reads schema 1", str(file))
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"not the JSON of a result ({type(error).__name__}: {error})", str(file)) from None
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror}", str(file)) from None
