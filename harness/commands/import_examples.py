"""Results per example beside a table of results: every line names a file with an array or a column for each metric."""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from harness.commands.import_tables import Cell, Table, read
from harness.errors import BenchError, near_miss
from harness.results.store import writing

EXAMPLE = ("example", "example_id", "ids", "index", "unnamed: 0", "column 1")
"""Names, in lower case, of the array or column that numbers the examples, the likeliest first."""
ROUNDED = 1e-6
"""Share by which the mean of float32 numbers may differ from the same mean in a table."""


class Units(NamedTuple):
    """Results of one metric at one seed: a value and a number for each example; equal numbers are one example."""

    values: tuple[float, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class File:
    """The content of a file: the results of all examples by name, and the numbers of the examples."""

    results: Mapping[str, tuple[float, ...]]
    ids: tuple[int, ...]
    numbered: bool


@dataclass
class Examples:
    """Results per example of the rows of a table in a folder, by row, metric and seed."""

    folder: Path
    found: dict[tuple[str, str], dict[str, dict[int, Units]]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    _metrics: set[str] = field(default_factory=set)
    _without: int = 0

    def add(self, row: tuple[str, str], values: Iterable[tuple[str, int, Cell]], named: Cell) -> None:
        """Take the file that a line names for its values, (metric, seed, cell). Raises BenchError for a wrong file."""
        if named.missing:
            self._without += 1
            return
        place, every = f"{named.file}:{named.line}", list(values)
        file = self.files.get(named.text) or self._read(named, place)
        self.files[named.text] = file
        metrics = [metric for metric, _, _ in every]
        if not set(metrics) & set(file.results):
            near = near_miss(metrics[0], file.results)
            raise BenchError(
                f"column {named.column}: {named.text} has no results of {' or '.join(metrics)}{near}", place
            )
        for metric, seed, cell in every:
            if metric in file.results:
                _check_mean(cell, file.results[metric], named.text)
                known = self.found.setdefault(row, {}).setdefault(metric, {})
                _check_length(len(file.ids), known, f"column {named.column}: {named.text}", place)
                known[seed] = Units(file.results[metric], file.ids)
                self._metrics.add(metric)

    def guesses(self) -> list[str]:
        """Return what was assumed of the files, a sentence each."""
        said = [f"results per example: {', '.join(sorted(self._metrics))}, from {len(self.files)} files"]
        if not all(file.numbered for file in self.files.values()):
            said.append(f"no numbers of examples ({EXAMPLE[0]}): one place is one example in every file")
        if self._without:
            said.append(f"{self._without} lines name no file: intervals of their rows are over seeds alone")
        if left := sorted({name for file in self.files.values() for name in file.results} - self._metrics):
            said.append(f"not used of the files: {', '.join(left)}")
        return said if self._metrics else []

    def _read(self, named: Cell, place: str) -> File:
        """Read a file, by its ending, whose name is relative to the table's folder."""
        what = f"column {named.column}: {named.text}"
        if Path(named.text).is_absolute():
            raise BenchError(f"{what} is an absolute path: write it relative to the table, as in a packed run", place)
        path = self.folder / named.text
        if path.suffix.lower() not in READERS:
            raise BenchError(f"{what}: unknown ending {path.suffix!r} (choose from {', '.join(READERS)})", place)
        if not path.is_file():
            beside = [each.name for each in path.parent.glob(f"*{path.suffix}")] if path.parent.is_dir() else []
            raise BenchError(f"column {named.column}: no file {named.text}{near_miss(path.name, beside)}", place)
        return READERS[path.suffix.lower()](path, what, place)


def _check_mean(cell: Cell, values: Sequence[float], file: str) -> None:
    """Raises BenchError unless the number in the table is the mean of the examples, to the digits it has."""
    if (number := cell.number) is None or not math.isfinite(number):
        return
    mean, exponent = math.fsum(values) / len(values), Decimal(cell.text).as_tuple().exponent
    digit = 0.5 * 10.0**exponent if isinstance(exponent, int) else 0.0
    if abs(mean - number) > 1.001 * digit + ROUNDED * max(abs(number), max(map(abs, values))):
        why = f"{cell.text} is not the mean of the results per example in {file}, which is {mean:.6g}"
        raise BenchError(f"column {cell.column}: {why}", f"{cell.file}:{cell.line}")


def _check_length(count: int, known: Mapping[int, Units], what: str, place: str) -> None:
    for seed, other in known.items():
        if len(other.ids) != count:
            raise BenchError(f"{what} has {count} examples, and that of seed {seed} {len(other.ids)}", place)


def _from_table(path: Path, what: str, place: str) -> File:
    """Read a table with one line for each example. Raises BenchError with its own line and column."""
    table = read(path)
    name = _numbers(table.names)
    named = [row[name].text for row in table.rows] if name else None
    ids = _ids(len(table.rows), named, lambda k: f"{path}:{table.rows[k][name or ''].line}: column {name}")
    columns = (each for each in table.names if each != name)
    results = {each: _column(table, each) for each in columns if any(row[each].is_number for row in table.rows)}
    return File(results, ids, name is not None)


def _column(table: Table, name: str) -> tuple[float, ...]:
    found = []
    for cell in (row[name] for row in table.rows):
        number = cell.number
        if number is None or not math.isfinite(number):
            raise BenchError(f"column {name}: {cell.text!r} is no finite number", f"{cell.file}:{cell.line}")
        found.append(number)
    return tuple(found)


def _from_arrays(path: Path, what: str, place: str) -> File:
    """Read arrays [examples] by name. Raises BenchError with the line of the table that names the file."""
    import numpy

    if not zipfile.is_zipfile(path):
        raise BenchError(f"{what} is no file of numpy.savez", place)
    try:
        with numpy.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, EOFError, ValueError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise BenchError(f"{what} cannot be read: {' '.join(str(error).split())}", place) from None
    name = _numbers([*arrays])
    for each, array in arrays.items():
        if array.ndim != 1 or not array.size or (each != name and array.dtype.kind not in "fiub"):
            shape = f"{array.dtype} {[*array.shape]}"
            raise BenchError(f"{what}: array {each} is {shape}, expected one number for each example", place)
    lengths = {each: len(array) for each, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        said = ", ".join(f"{each} {length}" for each, length in lengths.items()) or "no array"
        raise BenchError(f"{what}: arrays of the same examples have one length, got {said}", place)
    named = [str(each) for each in arrays[name].tolist()] if name else None
    ids = _ids(next(iter(lengths.values())), named, lambda k: f"{place}: {what}: {name}[{k}]")
    results = {each: tuple(map(float, array.tolist())) for each, array in arrays.items() if each != name}
    for each, values in results.items():
        if (bad := next((k for k, value in enumerate(values) if not math.isfinite(value)), None)) is not None:
            raise BenchError(f"{what}: {each}[{bad}] is no finite number", place)
    return File(results, ids, name is not None)


READERS: Mapping[str, Callable[[Path, str, str], File]] = MappingProxyType(
    {".csv": _from_table, ".tsv": _from_table, ".npz": _from_arrays}
)
"""Readers of files, by the ending of the name."""


def _numbers(names: Sequence[str]) -> str | None:
    """Return the name of what numbers the examples."""
    plain = {name.lower(): name for name in reversed(names)}
    return next((plain[word] for word in EXAMPLE if word in plain), None)


def _ids(count: int, named: Sequence[str] | None, place: Callable[[int], str]) -> tuple[int, ...]:
    """Return a number for each example, the same for the same name in all files. Raises BenchError for a name twice."""
    if named is None:
        return tuple(range(count))
    seen: set[str] = set()
    for k, text in enumerate(named):
        if text in seen:
            raise BenchError(f"the example {text!r} is there twice", place(k))
        seen.add(text)
    return tuple(int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else _hash(text) for text in named)


def _hash(text: str) -> int:
    """Return a number for a name: of 62 bits, so that no two names share one."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2


def write_units(file: Path, units: Mapping[str, Mapping[int, Units]]) -> None:
    """Write the results per example of a row, by metric and seed, as a run keeps them: [seeds, examples] each."""
    import numpy

    seeds = sorted({seed for by_seed in units.values() for seed in by_seed})
    arrays = {"seeds": numpy.asarray(seeds)}
    for metric, by_seed in units.items():
        lost = next(iter(by_seed.values()))
        every = [by_seed.get(seed) or Units((math.nan,) * len(lost.ids), lost.ids) for seed in seeds]
        arrays[f"{metric}/values"] = numpy.asarray([each.values for each in every], dtype=numpy.float32)
        arrays[f"{metric}/ids"] = numpy.asarray([each.ids for each in every], dtype=numpy.int64)
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            numpy.savez_compressed(stream, allow_pickle=False, **arrays)
