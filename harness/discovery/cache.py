"""The cache of this machine, below the user's cache folder: files that only save time."""

from __future__ import annotations

import json
import os
from pathlib import Path


def folder(name: str) -> Path:
    """The folder for one sort of files, there or not."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "touchstone-bench" / name


def write(file: Path, content: object) -> None:
    """Store JSON data, whole or not at all; nothing is stored where the system refuses."""
    import tempfile  # most commands write nothing

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as stream:
            json.dump(content, stream)
        os.replace(stream.name, file)
    except OSError:
        return
