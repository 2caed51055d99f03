"""Contents of a results folder: its runs with their records, results per example, caches; sizes and ages."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.results.store import is_written

CONFIRMING = re.compile(r"-confirm-\d+$")
"""End of the name under which a run writes the records of a repeated measurement."""


@dataclass(frozen=True)
class RunFiles:
    """A run by its id, with its folder and the files of records that it wrote; either may be missing."""

    id: str
    folder: Path
    records: tuple[Path, ...]

    @property
    def result(self) -> Path:
        """The file of its result, which a run that was interrupted does not have."""
        return self.folder / "result.json"

    @property
    def changed(self) -> float:
        """Time of the last change of its folder or any of its files, in seconds since 1970."""
        every = [self.folder, *files(self.folder), *self.records]
        return max((file.lstat().st_mtime for file in every if file.exists()), default=0.0)

    @property
    def is_active(self) -> bool:
        """Whether the run is writing records."""
        return any(is_written(file) for file in self.records)


def stored_runs(results: Path) -> list[RunFiles]:
    """Return every run of a results folder, oldest first: those with a folder, and those with records alone."""
    folders = [folder.name for folder in (results / "runs").glob("*")]
    written: dict[str, list[Path]] = {name: [] for name in folders if not _confirms(name, folders)}
    for file in sorted((results / "records").glob("*.jsonl")):
        written.setdefault(CONFIRMING.sub("", file.stem), []).append(file)
    return [RunFiles(name, results / "runs" / name, tuple(written[name])) for name in sorted(written)]


def _confirms(name: str, others: Collection[str]) -> bool:
    """Whether a folder holds the logs of a run that measured rows of another run again."""
    return (run := CONFIRMING.sub("", name)) != name and run in others


def files(path: Path) -> Iterator[Path]:
    """Yield the regular files at and below a path; links are not followed."""
    if path.is_symlink():
        return
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                yield file


def size(*paths: Path) -> int:
    """Return the bytes of all regular files at and below some paths."""
    total = 0
    for path in paths:
        for file in files(path):
            with contextlib.suppress(OSError):  # removed meanwhile
                total += file.stat().st_size
    return total
