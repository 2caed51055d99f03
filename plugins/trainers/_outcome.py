"""Outcome of a program: the last line of JSON of its output, and files with a value for each example."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness import BenchError, near_miss

FILES, NUMBERS = "per_example", "example"
"""Key of the outcome for files, and the column of such a file with the numbers of the examples."""
NEAR = 1e-4
"""Largest difference of a reported number from the mean of its values, relative to 1 or to the number."""

Outcome = Mapping[str, object]


def outcome(text: str) -> Outcome | None:
    """Return the object on the last line that is one in JSON, or None."""
    for line in reversed(text.splitlines()):
        if line.lstrip().startswith("{"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            return found if isinstance(found, dict) else None
    return None


def per_example(found: Outcome, folder: Path) -> tuple[dict[str, Tensor], Tensor | None]:
    """Return key -> values [1, m], and the numbers [1, m] of their examples, None for 0 to m - 1.

    Files are relative to the current folder, or else to `folder`. Raises BenchError for a file that is not there or
    holds something else, and for values whose mean is not the number reported.
    """
    said = found.get(FILES)
    if said is None:
        return {}, None
    columns = _read(said, folder)
    numbers = columns.pop(NUMBERS, None)
    for key, values in columns.items():
        _check(key, values, found)
    examples = None if numbers is None else torch.from_numpy(numbers.astype(np.int64))[None]
    return {key: torch.from_numpy(values)[None] for key, values in columns.items()}, examples


def _read(said: object, folder: Path) -> dict[str, np.ndarray]:
    if isinstance(said, str):
        return _table(_file(said, folder), said)
    if isinstance(said, Mapping) and said and all(isinstance(each, str) for each in said.values()):
        return {key: _array(_file(each, folder), each) for key, each in said.items()}
    raise BenchError(f"{FILES}: expected the name of a .csv file or {{key: file.npy}}, got {json.dumps(said)[:60]}")


def _file(name: str, folder: Path) -> Path:
    for file in (Path(name), folder / name):
        if file.is_file():
            return file
    raise BenchError(f"{FILES}: there is no file {name}")


def _array(file: Path, name: str) -> np.ndarray:
    try:
        values = np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
    except (OSError, ValueError, TypeError) as error:
        raise BenchError(f"{FILES}: {name} is no .npy file of numbers: {error}") from None
    if values.ndim != 1 or not len(values):
        raise BenchError(f"{FILES}: {name} has the shape {[*values.shape]}, expected [examples]")
    return values


def _table(file: Path, name: str) -> dict[str, np.ndarray]:
    """Return the columns of a .csv file with a header."""
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as stream:
        header, *rows = [row for row in csv.reader(stream) if row] or [[]]
    for place, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise BenchError(f"{FILES}: {name}:{place}: {len(row)} values for {len(header)} columns")
    if not rows:
        raise BenchError(f"{FILES}: {name} has no rows below a header")
    try:
        values = np.asarray(rows, dtype=np.float64).T
    except ValueError as error:
        raise BenchError(f"{FILES}: {name}: {error}") from None
    return dict(zip(header, values, strict=True))


def _check(key: str, values: np.ndarray, found: Outcome) -> None:
    number = found.get(key)
    if key not in found:
        raise BenchError(f"{FILES}: {key!r} is no key of the outcome{near_miss(key, [k for k in found if k != FILES])}")
    if not np.isfinite(values).all():
        raise BenchError(f"{FILES}: a value of {key} is not finite")
    mean = float(values.mean())
    if isinstance(number, (int, float)) and not math.isclose(mean, number, rel_tol=NEAR, abs_tol=NEAR):
        what = f"the mean of {key} over {len(values)} examples is {mean:.6g}"
        raise BenchError(f"{FILES}: {what}, reported is {number:.6g}")
