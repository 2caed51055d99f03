"""`bench clean`: remove old runs and caches from a results folder, by age, number and size.

The measurements of a run may serve later ones. They are removed only if asked for, and never those that a run which
stays needs.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from harness.errors import BenchError
from harness.report.number_format import bytes_text
from harness.report.words import counted
from harness.results import contents, runs
from harness.results.contents import RunFiles
from harness.results.records import Fault
from harness.results.store import lines, writing

DAY = 86400.0
SETTLED = 1.0
"""Days after its last change from which a run without a result is not taken for one in progress."""


@dataclass(frozen=True)
class CleanRules:
    """Rules: remove runs older than `days`, all but the newest `keep`, the oldest until `size` bytes are left.

    With `caches` artifacts and interrupted trainings go by the same age; with `records` a removed run's measurements
    go along.
    """

    days: float | None = None
    keep: int | None = None
    size: int | None = None
    caches: bool = False
    records: bool = False

    @property
    def by_run(self) -> bool:
        """Whether runs are removed."""
        return self.days is not None or self.keep is not None or self.size is not None


class Removal(NamedTuple):
    """Something to remove: its name, its paths and their bytes; `measured` where it cannot be made again."""

    name: str
    paths: Sequence[Path]
    size: int
    measured: bool


@dataclass
class Cleaning:
    """Everything that is to be removed, and remarks on what stays although it was asked for."""

    removals: list[Removal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def cleaning(results: Path, rules: CleanRules, now: float | None = None) -> Cleaning:
    """Return what the rules remove from a results folder. Raises BenchError without a rule, and for no folder."""
    if not rules.by_run and not rules.caches:
        raise BenchError("clean: say what to remove: --older-than, --keep, --size or --caches")
    if not results.is_dir():
        raise BenchError(f"nothing is stored under {results}")
    now = time.time() if now is None else now
    found, every = Cleaning(), contents.stored_runs(results)
    active = [run for run in every if _may_be_active(run, now)]
    if active and (rules.caches or rules.records):
        found.remarks.append(f"caches and records stay: {active[-1].id} may be in progress")
    elif rules.caches:
        found.removals += _caches(results, rules, now)
    if rules.by_run:
        rules = replace(rules, records=rules.records and not active)
        saved = sum(each.size for each in found.removals)
        gone = _old(results, rules, [run for run in every if run not in active], every, now, saved)
        found.removals += [removal for run in gone if (removal := _removal(run)).paths]
        if rules.records and gone:
            _add_records(found, results, gone, [run for run in every if run not in gone])
    return found


def remove(removals: Iterable[Removal]) -> None:
    """Remove files and folders. Raises BenchError for an error of the system."""
    for each in removals:
        for path in each.paths:
            with writing(path), suppress(FileNotFoundError):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


def _may_be_active(run: RunFiles, now: float) -> bool:
    return run.is_active or (not run.result.exists() and now - run.changed < SETTLED * DAY)


def _old(
    results: Path, rules: CleanRules, ended: Sequence[RunFiles], every: Sequence[RunFiles], now: float, saved: int
) -> list[RunFiles]:
    """Return the ended runs that go, oldest first; `saved` are the bytes that caches leave free."""
    newest = {run.id for run in every[-rules.keep :]} if rules.keep else set()
    candidates = [run for run in ended if run.id not in newest and _paths(run, rules.records)]
    by_number = rules.keep is not None and rules.days is None and rules.size is None
    left = contents.size(results) - saved
    gone = []
    for run in candidates:
        aged = rules.days is not None and now - run.changed > rules.days * DAY
        large = rules.size is not None and left > rules.size
        if aged or large or by_number:
            gone.append(run)
            left -= contents.size(*_paths(run, rules.records))
    return gone


def _paths(run: RunFiles, records: bool) -> list[Path]:
    folder = [run.folder] if run.folder.exists() or run.folder.is_symlink() else []
    return [*folder, *run.records] if records else folder


def _removal(run: RunFiles) -> Removal:
    paths = _paths(run, records=False)
    return Removal(f"run {run.id}", paths, contents.size(*paths), measured=True)


def _caches(results: Path, rules: CleanRules, now: float) -> Iterator[Removal]:
    folder = results / ".cache"
    for path in sorted([*folder.glob("*"), *folder.glob("scratch/*")]):
        changed = max((file.stat().st_mtime for file in contents.files(path)), default=0.0)
        if path.name != "scratch" and (rules.days is None or now - changed > rules.days * DAY):
            yield Removal(f"cache {path.relative_to(folder)}", [path], contents.size(path), measured=False)


def _add_records(found: Cleaning, results: Path, gone: Sequence[RunFiles], stay: Sequence[RunFiles]) -> None:
    """Add the records of the runs that go, and their results per example, but for those that another run needs."""
    try:
        needed = _cells(stay)
    except BenchError as error:
        found.remarks.append(f"records stay, since a run that stays cannot be read: {error}")
        return
    files = {file: run for run in gone for file in run.records}
    named: dict[Path, set[str]] = {}
    for file in sorted((results / "records").glob("*.jsonl")):
        named[file], uses = _units_and_uses(file, needed)
        if file in files and uses:
            del files[file]
            found.remarks.append(f"{file} stays: {counted(len(uses), 'run')} that stay need it, such as {max(uses)}")
    kept = {name for file, names in named.items() if file not in files for name in names}
    for file in files:
        units = [path for name in sorted(named[file] - kept) if (path := results / "units" / name).is_file()]
        paths = [file, *units]
        found.removals.append(Removal(f"records {file.stem}", paths, contents.size(*paths), measured=True))


def _cells(stay: Sequence[RunFiles]) -> dict[tuple[str, str], str]:
    """Return the cells of runs that stay, each with the digest of its environment, and a run that has it."""
    found = {}
    for run in stay:
        if run.result.is_file():
            result = runs.stored(run.folder, str(run.result))
            here = runs.environment_digest(result.environment)
            found.update({(row.id, here): run.id for row in result.cells})
    return found


def _units_and_uses(file: Path, needed: dict[tuple[str, str], str]) -> tuple[set[str], set[str]]:
    """Return the results per example that a file of records names, and the runs that need one of its records."""
    units, uses = set[str](), set[str]()
    for _, record in lines(file):
        if isinstance(record, Fault):
            continue
        if name := record.get("units"):
            units.add(name)
        if run := needed.get((record["cell"], record["environment"])):
            uses.add(run)
    return units, uses


def clean_lines(found: Cleaning, removed: Collection[Removal], dry: bool) -> Iterator[str]:
    """Yield what was removed, or would be, with its size; then what stays and why."""
    for each in found.removals:
        done = each in removed
        yield f"{'removed' if done else 'would remove'} {each.name}, {bytes_text(each.size)}"
    yield from found.remarks
    left = [each for each in found.removals if each not in removed]
    total = bytes_text(sum(each.size for each in removed))
    if removed or not left:
        yield f"{total} removed" if removed else "nothing to remove"
    if left:
        size = bytes_text(sum(each.size for each in left))
        yield f"{size} {'would be removed' if dry else 'of results and measurements: add --yes to remove them'}"
