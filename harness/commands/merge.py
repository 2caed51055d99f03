"""`bench merge`: bring what other results folders have stored into one. What is there already stays as it is."""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.commands.pack import pack
from harness.discovery.digests import digest
from harness.errors import BenchError
from harness.report.words import counted
from harness.results import contents, manifests, packed, runs
from harness.results.manifests import Manifest
from harness.results.records import Fault, Record
from harness.results.store import Damage, is_written, raw_lines, unique_part, writing

Key = tuple[object, ...]
"""Identity of a record among those of one run: cell, environment, run, block, seeds."""
SHOWN = 20
"""Numbers of shards that are listed; the others are counted."""


@dataclass(frozen=True)
class Merged:
    """New content of a source: the numbers of records, of files of results per example, of runs.

    `damaged` are its files of records that cannot be read whole; the lines that cannot be are left out.
    """

    source: str
    records: int = 0
    units: int = 0
    runs: int = 0
    damaged: Sequence[Damage] = ()

    def __str__(self) -> str:
        units = counted(self.units, "file") + " of results per example"
        new = f"{counted(self.records, 'record')}, {units}, {counted(self.runs, 'run')}"
        return f"{self.source}: {new if self.records or self.units or self.runs else 'nothing new'}"


def merged(source: str, results: Path) -> Merged:
    """Copy what a results folder or a run has, and `results` has not. Artifacts are made again where needed.

    Raises BenchError for what is neither, for a system error, and, before anything is copied, if two different runs
    have the same id.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = _opened(source, results, Path(temporary))
        if results.exists() and folder.samefile(results):
            return Merged(source)
        return _copied(source, folder, results)


def _opened(source: str, results: Path, temporary: Path) -> Path:
    """Return a results folder: the source, or a temporary one with the run that it names, packed or not."""
    folder = Path(source)
    if any((folder / name).is_dir() for name in ("records", "runs")):
        return folder
    if folder.is_dir() and not (folder / "result.json").exists():
        inside = folder / "results"
        near = f", did you mean {inside}?" if inside.is_dir() else ""
        raise BenchError(f"no results folder and no run{near}", source)
    file = runs.place(results, source)
    if packed.is_packed(file):
        packed.unpack(file, temporary)
        return temporary
    packed.unpack(pack(results, source, str(temporary / "run.zip")).file, temporary)
    shutil.copytree(file.parent, temporary / "runs" / file.parent.name, dirs_exist_ok=True)
    return temporary


def _copied(source: str, folder: Path, results: Path) -> Merged:
    """Check everything, then copy: results per example before the records that name them, results of runs last."""
    units, ended = [*_new(folder, results, "units/*.npz")], [*_new(folder, results, "runs/*/result.json")]
    damaged: list[Damage] = []
    files = {file: results / "records" / file.name for file in sorted((folder / "records").glob("*.jsonl"))}
    counts = {file: sum(1 for _ in _new_lines(file, to, damaged)) for file, to in files.items()}
    for name in units:
        _copy(folder / name, results / name)
    for file, count in counts.items():
        if count:
            _append(files[file], _new_lines(file, files[file], []))
    for run in contents.stored_runs(folder):
        if not (results / "runs" / run.id / run.result.name).exists():
            _copy_run(run.folder, results / "runs" / run.id)
    return Merged(source, sum(counts.values()), len(units), len(ended), damaged)


def _new(folder: Path, results: Path, pattern: str) -> Iterator[Path]:
    """Yield the files of a folder, as paths in it, that `results` has not.

    Raises BenchError for one that it has with another content.
    """
    for file in sorted(folder.glob(pattern)):
        name = file.relative_to(folder)
        if file.is_symlink() or not file.is_file():
            continue
        if not (results / name).exists():
            yield name
        elif not filecmp.cmp(file, results / name, shallow=False):
            raise _two_runs(file, results / name)


def _two_runs(file: Path, other: Path) -> BenchError:
    return BenchError(f"not the same as {other}: two runs have one id; nothing of this folder is merged", str(file))


def _new_lines(file: Path, to: Path, damaged: list[Damage]) -> Iterator[bytes]:
    """Yield the lines of a file of records that another has not. A file with unreadable lines is added to `damaged`.

    Raises BenchError for a record that the other file has with another content.
    """
    known: dict[Key, set[str]] = {}
    for key, content, _ in _identified(to, []) if to.exists() else ():
        known.setdefault(key, set()).add(content)
    faults: list[tuple[int, str]] = []
    for key, content, line in _identified(file, faults):
        if key not in known:
            yield line.rstrip(b"\n") + b"\n"
        elif content not in known[key]:
            raise _two_runs(file, to)
    if faults:
        damaged.append(Damage(file, len(faults), *faults[0]))


def _identified(file: Path, faults: list[tuple[int, str]]) -> Iterator[tuple[Key, str, bytes]]:
    """Yield what identifies every record, the digest of its content, and its line, which another version may read."""
    for number, line, found in raw_lines(file):
        if not isinstance(found, Fault):
            yield _key(found), digest(found), line
        elif found.newer:
            yield (line.strip(),), "", line
        else:
            faults.append((number, found.why))


def _key(record: Record) -> Key:
    return record["cell"], record["environment"], record["run"], record["block"], *record["seeds"]


def _append(to: Path, new: Iterable[bytes]) -> None:
    """Replace a file of records by a longer one, or make it. Raises BenchError if a run is writing it."""
    if is_written(to):
        raise BenchError("a run is writing it", str(to))
    part = unique_part(to)
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            if to.exists():
                with to.open("rb") as before:
                    shutil.copyfileobj(before, stream)
            stream.writelines(new)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(to)


def _copy_run(run: Path, to: Path) -> None:
    """Copy the files of a run that are not there as they are; its result last, so that a run that has one is whole."""
    for file in sorted(contents.files(run), key=lambda file: file.name == "result.json"):
        target = to / file.relative_to(run)
        if not target.exists() or not filecmp.cmp(file, target, shallow=False):
            _copy(file, target)


def _copy(file: Path, to: Path) -> None:
    part = unique_part(to)
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        part.replace(to)


def shard_lines(results: Path) -> Iterator[str]:
    """Yield a line for every suite of which a results folder has shards: which are complete, and what the others lack.

    Those of the newest cells of a suite count, by their manifests.
    """
    found: dict[tuple[str, int], dict[int, Manifest]] = {}
    for each in manifests.kept(results):
        known = found.setdefault((each.suite, each.shard.of), {})
        if any(other.shard.plan != each.shard.plan for other in known.values()):
            known.clear()
        known[each.shard.number] = each
    for (suite, of), shards in found.items():
        yield f"{suite}: {'; '.join(_state(of, shards))}"


def _state(of: int, shards: Mapping[int, Manifest]) -> Iterator[str]:
    """Yield clauses on the shards of one suite."""
    failed = {number: each for number, each in sorted(shards.items()) if not each.is_complete}
    missing = [number for number in range(1, of + 1) if number not in shards]
    if sum(each.shard.cells for each in shards.values()) == next(iter(shards.values())).shard.total:
        missing = []  # there were fewer bundles of cells than shards
    whole = of - len(missing) - len(failed)
    yield f"{whole} of {counted(of, 'shard')} complete"
    for number, each in failed.items():
        yield f"shard {number}: {len(each.failed)} of {counted(each.shard.cells, 'cell')} failed"
    if missing:
        yield f"no result of {_numbered(missing)}"


def _numbered(numbers: Sequence[int]) -> str:
    """Name some shards: the first of them, and the number of the others."""
    some = ", ".join(map(str, numbers[:SHOWN]))
    rest = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"shard{'s' * (len(numbers) > 1)} {some}{rest}"
