"""A packed run: one archive with a run's result, records, results per example and code, read without being trusted.

An archive is a folder: `ID/results/` is a results folder with one run, and beside it lie the suite and the code. Of an
archive that is read, members of known names are used, up to a size, under names of our own; the code is never used.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from harness.errors import BenchError

NAME = r"(?![.])[\w.-]+"
RESULT = re.compile(rf"{NAME}/results/runs/{NAME}/result\.json")
KEPT = re.compile(rf"{NAME}/results/(records/{NAME}\.jsonl|units/{NAME}\.npz|runs/{NAME}/result\.json)")
"""Members that are unpacked: records, results per example, the result."""
MOST = 2**31
"""Bytes up to which members are read, all of them together; and the arrays in one of them."""


def is_packed(file: Path) -> bool:
    """Return whether a file is an archive."""
    return file.is_file() and zipfile.is_zipfile(file)


def result(file: Path) -> Any:
    """Return the JSON of the run in an archive. Raises BenchError if it holds none, or several, or is damaged."""
    with _Archive(file) as archive:
        found = [info for info in archive.members() if RESULT.fullmatch(info.filename)]
        if len(found) != 1:
            raise BenchError(f"an archive with {len(found) or 'no'} results: no packed run", str(file))
        with archive.open(found[0]) as stream:
            return json.load(stream)


def unpack(file: Path, to: Path) -> None:
    """Write the records, results per example and result of a packed run below a folder.

    Raises BenchError if the archive is damaged.
    """
    with _Archive(file) as archive:
        for info in archive.members():
            if kept := KEPT.fullmatch(info.filename):
                place = to / kept[1]
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as stream, place.open("wb") as target:
                    shutil.copyfileobj(stream, target)
                if place.suffix == ".npz":
                    archive.check_arrays(place)


class _Archive:
    """An archive that is open; whatever is wrong with it is a BenchError."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> _Archive:
        try:
            self._zip = zipfile.ZipFile(self._file)
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._damaged(error) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._zip.close()
        if isinstance(error, BenchError) or not isinstance(error, Exception):
            return
        raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> BenchError:
        return BenchError(f"a damaged archive: {type(error).__name__}: {error}", str(self._file))

    def members(self) -> Iterator[zipfile.ZipInfo]:
        """Yield the members that are read. Raises BenchError if they are larger than MOST, or one is there twice."""
        found = [
            each for each in self._zip.infolist() if RESULT.fullmatch(each.filename) or KEPT.fullmatch(each.filename)
        ]
        if len({each.filename for each in found}) < len(found):
            raise BenchError("a damaged archive: two members of one name", str(self._file))
        self._check_size(sum(each.file_size for each in found))
        yield from found

    def open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """Open a member; no more is read of it than the size it was checked with."""
        return self._zip.open(info)

    def check_arrays(self, place: Path) -> None:
        """Check that the arrays in a file of results per example are not larger than MOST."""
        with zipfile.ZipFile(place) as arrays:
            self._check_size(sum(each.file_size for each in arrays.infolist()))

    def _check_size(self, size: int) -> None:
        if size > MOST:
            raise BenchError(f"{size:,} bytes when unpacked: more than {MOST:,} are not read", str(self._file))
