"""The cache of this machine, below the user's cache folder: files that only save time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any


def folder(name: str) -> Path:
    """The folder for one sort of files, there or not."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "touchstone-bench" / name


def read(file: Path) -> Any:
    """Return stored JSON data; None if there is none, or it is not as it was written."""
    try:
        digest, _, content = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    return json.loads(content) if digest.decode("latin-1") == _digest(content) else None


def write(file: Path, content: object) -> None:
    """Store JSON data with its digest, whole or not at all; nothing is stored where the system refuses."""
    import tempfile  # most commands write nothing

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content).encode()
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as stream:
            stream.write(_digest(text).encode() + b"\n" + text)
        os.replace(stream.name, file)
    except OSError:
        return


def keep_newest(folder: Path, number: int) -> None:
    """Remove all but the newest files of one sort, as far as the system lets it."""
    with contextlib.suppress(OSError):
        for file in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)[:-number]:
            file.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
