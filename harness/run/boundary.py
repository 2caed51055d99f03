"""The boundary of a suite: the files and modules of which it may import code without `--trust`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery import sources
from harness.discovery.sources import Source
from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.suite.document import Document

LIBRARIES = ("torch.nn", "entmax", "diffusers", "timm", "torchvision", "pytorch_metric_learning")
"""Libraries whose losses, networks and schedulers a suite may name; `torch` alone stands for `torch.nn`."""
WHOLE = ("torch", "harness")
"""Modules of which only what is at the top may be named."""


class Boundary:
    """Modules and files that a suite in a folder may import; `plugins` are those that the command line names."""

    def __init__(self, folder: Path, plugins: Iterable[Source]) -> None:
        self._folder, self._plugins = folder.absolute(), tuple(plugins)

    @cached_property
    def _roots(self) -> set[str]:
        """The packages of plugins; installed ones are looked for only where a suite names a module."""
        named = [*self._plugins, *sources.installed()]
        return {source.module.partition(".")[0] for source in named if source.module}

    def crossed_by_file(self, text: str) -> bool:
        """Return whether a plugin file is neither beside nor below the suite."""
        path = Path(os.path.normpath(self._folder / Path(text).expanduser()))
        return not path.is_relative_to(self._folder)

    def crossed_by_module(self, module: str) -> bool:
        """Return whether a module is none of a library, of a plugin, and beside or below the suite.

        A module that does not exist crosses nothing.
        """
        library = any(f"{module}.".startswith(f"{each}.") for each in LIBRARIES)
        if library or module in WHOLE or module.partition(".")[0] in self._roots:
            return False
        if sources.is_built_in(module):
            return True
        file = sources.locate(module)
        if file is None:
            return False
        elsewhere = sources.is_installed(file) or file.is_relative_to(Path(os.__file__).parent)
        return elsewhere or not file.is_relative_to(self._folder.resolve())


def check_plugins(document: Document, boundary: Boundary) -> None:
    """Raises BenchError at the first plugin of a suite that needs `--trust`."""
    for text, place in document.plugins:
        is_file = text.endswith(".py") or "/" in text
        if boundary.crossed_by_file(text) if is_file else boundary.crossed_by_module(text):
            where = "is not beside or below the suite" if is_file else "is no plugin and not beside or below the suite"
            raise BenchError(f"plugins: {text} {where}: name it by --plugin on the command line, or use --trust", place)


def check_imports(document: Document, paths: Iterable[str], boundary: Boundary) -> None:
    """Raises BenchError at the first import path of a suite that needs `--trust`."""
    for path in paths:
        module = path.partition(":")[0]
        if boundary.crossed_by_module(module):
            place = str(document.place_of_text(path))
            why = f"imports the module {module}, which is not beside or below the suite"
            raise BenchError(f"{path} {why}: it needs --trust on the command line", place)
