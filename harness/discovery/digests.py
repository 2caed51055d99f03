"""Digests of a plugin's text for its description, of files, and of data."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness.discovery.sources import Source, is_library

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(\S+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]+))", re.MULTILINE
)
"""An import statement. Parsing the syntax tree instead would take most of the command's start-up."""


_FOREIGN = re.compile(r"""["']([\w-]+\.(?:c|cc|cpp|cu|h|hpp))["']""")
"""Name of a file to be compiled, as a string."""


def family(file: Path) -> list[Path]:
    """Return a plugin's file, the modules it imports from its own folder and packages beside it, directly or through
    each other, and the C, C++ and CUDA files of that folder they name.
    """
    seen: list[Path] = []
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.append(current)
            waiting.extend(_siblings(current))
    return [seen[0], *sorted(seen[1:])]


def _siblings(file: Path) -> tuple[Path, ...]:
    """Return modules of the same folder that a file's import statements name; a superfluous one does no harm."""
    try:
        now, folder = file.stat(), file.parent.stat()
    except OSError:
        return ()
    return _named_beside(file, now.st_mtime_ns, now.st_size, folder.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _named_beside(file: Path, *_: int) -> tuple[Path, ...]:
    """Return the siblings that a file names; the numbers are cache keys for the state of the file and its folder."""
    text = file.read_text(errors="replace")
    beside = set(os.listdir(file.parent))
    words = {word for statement in _IMPORT.findall(text) for part in statement for word in re.findall(r"\w+", part)}
    found = list(compiled_beside(file))
    for word in sorted(words):
        if f"{word}.py" in beside and word != file.stem:
            found.append(file.parent / f"{word}.py")
        elif word in beside and (file.parent / word / "__init__.py").is_file():
            found += sorted((file.parent / word).rglob("*.py"))
    return tuple(found + _named_in_sister_packages(file, text))


def _named_in_sister_packages(file: Path, text: str) -> list[Path]:
    """Return modules of sibling packages that a file imports by their full names: a protocol may use another's."""
    above = file.parent.parent
    if not (above / "__init__.py").is_file() or not (above.parent / "__init__.py").is_file():
        return []  # the package above would be the whole distribution
    dotted = {statement[0] for statement in _IMPORT.findall(text)}
    inner = [module.split(f".{above.name}.", 1)[1] for module in sorted(dotted) if f".{above.name}." in module]
    found = [(above / module.replace(".", "/")).with_suffix(".py") for module in inner]
    return [member for member in found if member.is_file() and member != file]


def compiled_beside(file: Path) -> Iterator[Path]:
    """The C, C++ and CUDA files of its folder that a file names in strings."""
    try:
        named = set(_FOREIGN.findall(file.read_text(errors="replace")))
    except OSError:
        return
    yield from (file.parent / name for name in sorted(named & set(os.listdir(file.parent))))


def library_digest(file: Path) -> str:
    """Return SHA-256 over an installed library's module and the names and sizes of the files beside and below it.

    Used for components named by an import path: reading all that torch imports from its own folder would take seconds.
    """
    digest = hashlib.sha256(file.read_bytes())
    beside = sorted(file.parent.rglob("*.py")) if file.parent.name != "site-packages" else []
    for member in beside:
        digest.update(f"{member.relative_to(file.parent)} {member.stat().st_size}\n".encode())
    return digest.hexdigest()


def text_digest(source: Source) -> str:
    """SHA-256 over the text of a plugin and what lies beside it; of a library's, as `library_digest` says."""
    file = Path(source.file)
    if is_library(source):
        return library_digest(file)
    digest = hashlib.sha256()
    for member in family(file):
        digest.update(member.name.encode() + b"\0" + member.read_bytes())
    return digest.hexdigest()


def digest(data: object) -> str:
    """Return SHA-256 of JSON data in its canonical form."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=list).encode()).hexdigest()


def digest_of_file(file: Path) -> str:
    """Return SHA-256 of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
