"""Digests of the files that a command line names: they belong to the identity of what it measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.command_line import filled, words
from harness.discovery import contents
from harness.errors import BenchError

SEED = "seed"


def code_of(text: str, values: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """Yield the Python files that the words of a command name, and the files of the modules that they import."""
    for word in words(text):
        for file in _files(word, values, folder):
            yield from contents.imports(file).modules.values() if file.suffix == ".py" else ()


def of_command(text: str, values: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Digests of the files that the words of a command name, relative to a folder, by name.

    Of a Python file also those of the modules it imports, as of a plugin; so too of `python -m MODULE`. The part of a
    word after `=` counts as well. A word with `{seed}` stands for the files of all seeds, and a word with another
    placeholder that has no value for none. Folders are no files: a program may write into them.
    """
    found: dict[str, str] = {}
    try:
        split = words(text)
    except BenchError:  # the check of the suite has told
        return found
    if len(split) > 2 and split[1] == "-m" and Path(split[0]).name.startswith("python"):
        found |= contents.of_module(split[2])
    for file in (file for word in split for file in _files(word, values, folder)):
        found |= contents.of_code(file) if file.suffix == ".py" else {file.name: contents.of_path(file)}
    return found


def _files(word: str, values: Mapping[str, str], folder: Path) -> Iterator[Path]:
    for part in dict.fromkeys([word, word.partition("=")[2]]):
        whole = filled(part, values)
        if whole is not None and (file := _file(folder, whole)):
            yield file
        elif whole is None and f"{{{SEED}}}" in part and part != f"{{{SEED}}}":
            pattern = filled(part, {**values, SEED: "*"})
            yield from _matching(folder, pattern) if pattern else ()


def _file(folder: Path, name: str) -> Path | None:
    try:
        return folder / name if name and (folder / name).is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    try:
        yield from sorted(file for file in folder.glob(pattern) if file.is_file())
    except (NotImplementedError, ValueError, OSError):  # an absolute pattern
        return
