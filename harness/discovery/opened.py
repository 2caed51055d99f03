"""Files that a component opened without naming them in a field: seen as they are opened, compared by a later run.

Code that computes a path, imports a module by a computed name or loads from a hub's cache reads files that no field
shows. A worker therefore watches what it opens, and a record holds the digests. Files opened by compiled code are not
seen. What comes along with Python, with the system or with an installed package is left out: its version tells.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.discovery import cache, contents, sources

BRIEF = 16
"""Characters of a digest that are kept."""
SYSTEM = ("/proc", "/sys", "/dev", "/run", "/etc", "/usr", "/lib", "/lib64", "/bin", "/opt")
OURS = ("records", "units", "runs", ".cache")
"""Folders in the results folder that the harness itself writes."""
HUBS = ("huggingface", "torch/hub")
"""Folders in the user's cache that hold what was downloaded; all others there are made again at will."""
HOME = "~/"

_reading: dict[str, None] = {}
"""Files opened for reading since the last call of `found`."""
_inputs: dict[str, str] = {}
"""Digests of the files of earlier calls that are inputs."""
_writing: set[str] = set()
_started: list[float] = []


def watch() -> None:
    """Begin to watch the files that this process opens; there is no end."""
    if not _started:
        _started.append(time.time())
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], (str, bytes)) or not isinstance(arguments[2], int):
        return
    try:
        path = os.path.abspath(os.fsdecode(arguments[0]))
    except (OSError, ValueError):
        return
    if arguments[2] & (os.O_WRONLY | os.O_RDWR):
        _writing.add(path)
    else:
        _reading[path] = None


def found(folder: Path, results: Path, known: Iterable[str]) -> dict[str, str]:
    """Return name -> digest of the files read so far, without those that the identity of a cell holds already.

    These are the `known` files of code. What was written or changed meanwhile is no input. A call looks at the files
    opened since the last one.
    """
    opened = [path for path in _sources() if path not in _inputs]
    if opened:
        code, apart = set(known), (*SYSTEM, *_python(), *(str(results / name) for name in OURS))
        new = [path for path in opened if path not in code and not _below(path, apart) and not _is_made_again(path)]
        _inputs.update({path: _digest(Path(path)) for path in new if _is_as_before(path)})
    return {
        _name(Path(path), folder): digest
        for path, digest in _inputs.items()
        if path not in _writing and _is_as_before(path)
    }


def _is_as_before(path: str) -> bool:
    """Whether a file is there and was not changed since this process watches."""
    try:
        return os.path.isfile(path) and os.stat(path).st_mtime < _started[0]
    except OSError:
        return False


def _sources() -> Iterable[str]:
    """The files opened since the last call, code compiled before as its source."""
    for path in list(_reading):
        _reading.pop(path, None)  # a thread may open more meanwhile
        if path.endswith(".pyc"):
            try:
                path = importlib.util.source_from_cache(path)
            except ValueError:
                continue
        yield path


def _python() -> tuple[str, ...]:
    """Folders of Python and of the harness."""
    return (sys.prefix, sys.base_prefix, str(sources.HARNESS), str(sources.stock_folder()))


def _below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(os.path.join(folder, "")) for folder in folders) or sources.is_installed(Path(path))


def _is_made_again(path: str) -> bool:
    """Whether a file belongs to a cache whose content is made again where it is missing."""
    caches = str(cache.folder("").parent)
    return _below(path, (caches,)) and not _below(path, (os.path.join(caches, name) for name in HUBS))


def _digest(path: Path) -> str:
    """Digest of a file, of Python's code without docstrings."""
    if not path.is_file():
        return contents.ABSENT
    return (contents.of_source(path) if path.suffix == ".py" else contents.of_path(path))[:BRIEF]


def _name(path: Path, folder: Path) -> str:
    """The path from the folder of the suite on, or from the user's home; whole elsewhere."""
    for root, mark in ((folder, ""), (Path.home(), HOME)):
        if path.is_relative_to(root):
            return f"{mark}{path.relative_to(root).as_posix()}"
    return str(path)


class Unchanged:
    """Compares files with what they were when they were read; each is looked at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now: dict[str, str] = {}

    def changed(self, read: Mapping[str, str]) -> list[str]:
        """Return the names of files that are other than they were; one gone from outside of the project is none."""
        return [name for name, digest in read.items() if self._is_other(name, digest)]

    def _is_other(self, name: str, digest: str) -> bool:
        if name not in self._now:
            path = Path(name).expanduser() if name.startswith(HOME) else self._folder / name
            self._now[name] = _digest(path)
        now = self._now[name]
        return now != digest and not (now == contents.ABSENT and name.startswith((HOME, "/")))
