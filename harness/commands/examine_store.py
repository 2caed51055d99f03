"""`bench doctor --store`: what of a results folder is damaged or orphaned, and moving aside what cannot be read."""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from harness.discovery.digests import digest_of_file
from harness.errors import BenchError
from harness.report.number_format import bytes_text
from harness.report.words import counted
from harness.results import contents, model, runs
from harness.results.records import Fault
from harness.results.store import is_written, lines, writing

SHOWN = 20
"""Damaged places of one kind that are listed; the others are counted."""
ASIDE = "damaged"
"""Folder of the results folder into which what cannot be read is moved."""


class Place(NamedTuple):
    """A place that is damaged: a file, the number of its line or 0, and the reason."""

    file: Path
    line: int
    why: str


@dataclass
class StoreReport:
    """The examination of a results folder: counts and bytes by kind of file, what is damaged, newer, missing, orphaned.

    `missing` are names of results per example that records have and that are not there; `orphans` are files that
    nothing refers to; `interrupted` the number of runs without a result; `moved` the folder into which what is damaged
    was moved, None for nothing; `kept` the damaged files of runs that are being written.
    """

    results: Path
    counts: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    damaged: list[Place] = field(default_factory=list)
    newer: list[Place] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    orphans: list[Path] = field(default_factory=list)
    interrupted: int = 0
    moved: Path | None = None
    kept: list[Path] = field(default_factory=list)


def examine(results: Path) -> StoreReport:
    """Read everything under a results folder, and move what cannot be read into a folder of its own.

    Nothing is deleted. Raises BenchError if nothing is stored, and for an error of the system.
    """
    if not any((results / name).is_dir() for name in ("records", "runs", "units", ".cache")):
        raise BenchError(f"nothing is stored under {results}")
    report = StoreReport(results)
    named = _records(report)
    _units(report, named)
    _caches(report)
    _runs(report)
    _move(report)
    return report


def _records(report: StoreReport) -> set[str]:
    """Examine every line of the records; return the names of results per example that they have."""
    named: set[str] = set()
    for file in sorted((report.results / "records").glob("*.jsonl")):
        report.counts["file of records"] += 1
        for number, found in lines(file):
            if isinstance(found, Fault):
                (report.newer if found.newer else report.damaged).append(Place(file, number, found.why))
                continue
            report.counts["record"] += 1
            if units := found.get("units"):
                named.add(units)
    report.sizes["record"] = contents.size(report.results / "records")
    return named


def _units(report: StoreReport, named: set[str]) -> None:
    folder = report.results / "units"
    there = sorted(folder.glob("*"))
    for file in there:
        if file.suffix == ".npz" and (why := _archive_fault(file)):
            report.damaged.append(Place(file, 0, why))
        elif file.name not in named:
            report.orphans.append(file)
    report.counts["file of results per example"] = len(there)
    report.sizes["file of results per example"] = contents.size(folder)
    report.missing = sorted(named - {file.name for file in there})


def _archive_fault(file: Path) -> str:
    """Return what is wrong with an archive of arrays, read to its end; empty if nothing is."""
    if not file.is_file():
        return "it is not a file"
    try:
        with zipfile.ZipFile(file) as archive:
            bad = archive.testzip()
    except (OSError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        return str(error) or type(error).__name__
    return f"{bad} in it is damaged" if bad else ""


def _caches(report: StoreReport) -> None:
    folder = report.results / ".cache"
    for file in sorted(folder.glob("*")):
        if file.suffix == ".pt" and file.is_file():
            report.counts["artifact"] += 1
            _artifact(report, file)
        elif file.suffix == ".part" or (file.suffix == ".json" and not file.with_suffix(".pt").exists()):
            report.orphans.append(file)
    report.sizes["artifact"] = contents.size(folder)


def _artifact(report: StoreReport, file: Path) -> None:
    """Compare an artifact with the digest that was written down when it was made."""
    seal = file.with_suffix(".json")
    if not seal.is_file():
        report.orphans.append(file)
        return
    try:
        known = json.loads(seal.read_bytes())["digest"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        report.damaged.append(Place(seal, 0, "no digest can be read"))
        return
    if known != digest_of_file(file):
        report.damaged.append(Place(file, 0, "it is not as it was made"))


def _runs(report: StoreReport) -> None:
    for run in contents.stored_runs(report.results):
        report.counts["run"] += 1
        if not run.result.exists() and not run.result.is_symlink():
            report.interrupted += 1
            continue
        try:
            runs.stored(report.results, str(run.result))
        except BenchError as error:
            newer = _schema(run.result) > model.SCHEMA
            (report.newer if newer else report.damaged).append(Place(run.result, 0, error.what))
    report.sizes["run"] = contents.size(report.results / "runs")


def _schema(file: Path) -> int:
    """Return the schema of a result; 0 if it has none."""
    try:
        found = json.loads(file.read_bytes()) if file.is_file() else None
    except (OSError, ValueError, RecursionError):
        return 0
    schema = found.get("schema") if isinstance(found, dict) else None
    return schema if isinstance(schema, int) else 0


def _move(report: StoreReport) -> None:
    """Move what is damaged into a folder of its own: whole files, and lines of files of records."""
    stamp = f"{datetime.now():%Y%m%d-%H%M%S}"
    by_file: dict[Path, set[int]] = {}
    for place in report.damaged:
        by_file.setdefault(place.file, set()).add(place.line)
    for file, numbers in by_file.items():
        if is_written(file):
            report.kept.append(file)
            continue
        report.moved = report.results / ASIDE / stamp
        target = report.moved / file.relative_to(report.results)
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if 0 in numbers:
                file.rename(target)
            else:
                _split(file, numbers, target)


def _split(file: Path, numbers: set[int], target: Path) -> None:
    """Move lines of a file of records to another; the file is replaced when both are on the disk."""
    part = file.with_name(f"{file.name}.part")
    with file.open("rb") as stream, part.open("wb") as whole, target.open("wb") as bad:
        for number, line in enumerate(stream, 1):
            (bad if number in numbers else whole).write(line)
        for each in (whole, bad):
            each.flush()
            os.fsync(each.fileno())
    part.replace(file)


def report_lines(report: StoreReport) -> Iterator[str]:
    """Yield the report in words."""
    for noun, also in (
        ("record", "file of records"),
        ("file of results per example", ""),
        ("artifact", ""),
        ("run", ""),
    ):
        inside = f" in {_counted(report.counts[also], also)}" if also else ""
        yield f"{_counted(report.counts[noun], noun)}{inside}, {bytes_text(report.sizes[noun])}"
    yield from _listed("damaged", report, report.damaged)
    yield from _listed("of a newer version, left as they are", report, report.newer)
    if report.missing:
        yield f"records name {_counted(len(report.missing), 'file of results per example')} not there: measured again"
    if report.orphans:
        yield f"orphaned, {bytes_text(contents.size(*report.orphans))}: no record or artifact names them"
        yield from _few([str(file.relative_to(report.results)) for file in report.orphans])
    if report.interrupted:
        yield f"{counted(report.interrupted, 'run')} without a result, as an interruption leaves it"
    for file in report.kept:
        yield f"left as it is, a run is writing it: {file}"
    if report.moved:
        yield f"moved to {report.moved}; what it held is measured again"
    if not report.damaged:
        yield "nothing is damaged"


def _listed(title: str, report: StoreReport, places: Sequence[Place]) -> Iterator[str]:
    if places:
        yield f"{title}:"
        names = [f"{each.file.relative_to(report.results)}{f':{each.line}' if each.line else ''}" for each in places]
        yield from _few(
            [f"{name}: {' '.join(each.why.split())[:200]}" for name, each in zip(names, places, strict=True)]
        )


def _few(found: Sequence[str]) -> Iterator[str]:
    """Yield the first lines, indented, and the number of the others."""
    yield from (f"  {each}" for each in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN:,} more"


def _counted(n: int, noun: str) -> str:
    head, of, rest = noun.partition(" of ")
    return f"{counted(n, head)}{of}{rest}"
