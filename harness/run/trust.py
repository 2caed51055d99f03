"""Trust: a suite is data, so without `--trust` it runs no program and imports only what is meant for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.discovery import sources
from harness.discovery.sources import Source
from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.run.load import LoadedSuite
    from harness.suite.document import Document

LIBRARIES = ("torch.nn", "entmax", "diffusers", "timm", "torchvision", "pytorch_metric_learning")
"""Libraries whose losses, networks and schedulers a suite may name; `torch` alone stands for `torch.nn`."""
WHOLE = ("torch", "harness")
"""Modules of which only what is at the top may be named."""
SHOWN = 100
"""Letters of a command in a message."""


class Boundary:
    """What a suite in a folder may import: `plugins` are those that the command line names."""

    def __init__(self, folder: Path, plugins: Iterable[Source]) -> None:
        self._folder = folder.absolute()
        named = [*plugins, *sources.installed()]
        self._roots = {source.module.partition(".")[0] for source in named if source.module}

    def crossed_by_file(self, text: str) -> bool:
        """Return whether a plugin file is neither beside nor below the suite."""
        path = Path(os.path.normpath(self._folder / Path(text).expanduser()))
        return not path.is_relative_to(self._folder)

    def crossed_by_module(self, module: str) -> bool:
        """Return whether a module is none of a library, of a plugin, and beside or below the suite.

        A module that does not exist crosses nothing.
        """
        root = module.partition(".")[0]
        if root in self._roots or module in WHOLE or any(f"{module}.".startswith(f"{each}.") for each in LIBRARIES):
            return False
        if sources.is_built_in(module):
            return True
        file = sources.locate(module)
        if file is None:
            return False
        library = sources.is_installed(file) or file.is_relative_to(Path(os.__file__).parent)
        return library or not file.is_relative_to(self._folder.resolve())


def check_imports(document: Document, paths: Iterable[str], boundary: Boundary) -> None:
    """Raises BenchError at the first plugin or import path of a suite that needs `--trust`."""
    for text, place in document.plugins:
        is_file = text.endswith(".py") or "/" in text
        if boundary.crossed_by_file(text) if is_file else boundary.crossed_by_module(text):
            where = "is not beside or below the suite" if is_file else "is no plugin and not beside or below the suite"
            raise BenchError(
                f"plugins: {text} {where}: it needs --plugin {text} on the command line, or --trust", place
            )
    for path in paths:
        module = path.partition(":")[0]
        if boundary.crossed_by_module(module):
            place = str(document.place_of_text(path))
            why = f"imports the module {module}, which is not beside or below the suite"
            raise BenchError(f"{path} {why}: it needs --trust on the command line", place)


def needs_trust(prepared: LoadedSuite) -> Iterator[tuple[str, str]]:
    """Yield (place, sentence) for every program that cells would run and every module that their fields name."""
    catalogue, document = prepared.catalogue, prepared.document
    specs = [pair for cell in prepared.cells for pair in cell.parts.items()]
    specs += [("metric", spec) for spec in prepared.suite.metrics.values()]
    programs = dict.fromkeys(text for kind, spec in specs for text in catalogue.commands(kind, spec))
    for text in programs:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        yield str(document.place_of_text(text)), f"runs a program, which needs --trust on the command line: {shown}"
    modules = dict.fromkeys(text for kind, spec in specs for text in catalogue.modules(kind, spec))
    for text in modules:
        module = text.partition(":")[0]
        if prepared.boundary.crossed_by_module(module):
            why = f"imports the module {module}, which is not beside or below the suite"
            yield str(document.place_of_text(text)), f"{text} {why}: it needs --trust on the command line"


def check_trust(prepared: LoadedSuite, trust: bool) -> None:
    """Raises BenchError at the first thing that cells would run and that needs `--trust`."""
    for place, sentence in () if trust else needs_trust(prepared):
        raise BenchError(sentence, place)
