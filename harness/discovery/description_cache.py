"""Descriptions on disk: one file for each plugin by the digest of its text, and one for all stock plugins together.

Reading and digesting every stock plugin took most of the command's start-up. The file of the stock plugins is valid
as long as no file of the installation has another size, modification time or inode than when it was written.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery import cache, contents, digests, sources
from harness.discovery.sources import Source

if TYPE_CHECKING:
    from harness.discovery.descriptions import Description

Entries = list["Description"]


def find(plugins: Sequence[Source]) -> dict[Source, Entries]:
    """Return the cached descriptions of those plugins that have not changed since."""
    together = _stock() if any(source.origin == "stock" for source in plugins) else {}
    found: dict[Source, Entries] = {}
    unread = False
    for source in plugins:
        entries = together.get(source.name) if source.origin == "stock" else None
        if entries is None:
            entries = cache.read(_file(source))
            unread = unread or source.origin == "stock"
        if entries is not None:
            found[source] = entries
    if unread:
        _keep_stock({source.name: entries for source, entries in found.items() if source.origin == "stock"})
    return found


def keep(source: Source, entries: Sequence[Description]) -> None:
    """Store the descriptions of one plugin."""
    cache.write(_file(source), entries)


def _stock() -> dict[str, Entries]:
    """Return the descriptions of all stock plugins if no file has changed since they were written."""
    stored = cache.read(_stock_file())
    entries: dict[str, Entries] = stored["plugins"] if stored and stored["state"] == installation() else {}
    return entries


def _keep_stock(plugins: dict[str, Entries]) -> None:
    cache.write(_stock_file(), {"state": installation(), "plugins": {**_stock(), **plugins}})


def _stock_file() -> Path:
    return cache.folder("descriptions") / f"stock-{hashlib.sha256(str(sources.HARNESS).encode()).hexdigest()}.json"


@functools.cache  # the harness's own files do not change under a running command
def installation() -> str:
    """Return the digest of Python's version and of size, time and inode of every file of the harness and plugins."""
    digest = hashlib.sha256(sys.version.encode())
    waiting = [str(sources.HARNESS), str(sources.stock_folder())]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                if entry.is_dir() and entry.name != "__pycache__":
                    waiting.append(entry.path)
                elif entry.is_file():
                    state = entry.stat()
                    digest.update(f"{entry.path} {state.st_size} {state.st_mtime_ns} {state.st_ino}\n".encode())
    return digest.hexdigest()


def _file(source: Source) -> Path:
    code = {} if source.origin == "stock" else contents.of_plugin(source)
    identity = [digests.text_digest(source), code, _describing(), source.name, source.file, sys.version]
    return cache.folder("descriptions") / f"{hashlib.sha256(json.dumps(identity).encode()).hexdigest()}.json"


@functools.cache
def _describing() -> str:
    """Return the digest of the code that turns a class into a description."""
    modules = [sources.HARNESS / f"{name}.py" for name in ("base", "dynamic", "fields")]
    folders = [sources.HARNESS / name for name in ("kinds", "discovery")]
    files = [*modules, *(file for folder in folders for file in sorted(folder.glob("*.py")))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
