"""Files and folders that data sets read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness import BenchError


@contextlib.contextmanager
def located(path: str) -> Iterator[None]:
    """Give the errors of a block the path as their place."""
    try:
        yield
    except BenchError as error:
        raise BenchError(error.what, path) from None


def check_file(path: str) -> None:
    """Check that a file can be read. Raises BenchError with the reason if it cannot."""
    file = Path(path)
    if file.is_dir():
        raise BenchError("is a folder, expected a file")
    if file.exists() and not file.is_file():
        raise BenchError("is not a regular file")
    try:
        with file.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}") from None
    if empty:
        raise BenchError("is empty")


def check_folder(path: str) -> None:
    """Check that a folder can be listed. Raises BenchError with the reason if it cannot."""
    try:
        next(Path(path).iterdir(), None)
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}") from None
