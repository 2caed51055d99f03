"""Figures of a run. Loads matplotlib only when figures are requested.

A new figure is a module here with `figures(run) -> {name: maker}`, and its name in MODULES. A maker draws one figure
when it is called and raises BenchError, one line, if it cannot.
"""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.figures.run import StoredRun
from harness.results import Run
from harness.results.store import write as store
from harness.results.store import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StoredRun", "by_module", "contents", "figures", "png", "save", "write"]

MODULES = (
    "claims",
    "front",
    "forest",
    "ranks",
    "against",
    "by_seed",
    "samples",
    "path",
    "steps",
    "occurrences",
    "ball",
)
"""Modules that draw, in the order in which their figures are written."""
FORMATS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {"png": {}, "svg": {"metadata": {"Date": None}}, "pdf": {"metadata": {"CreationDate": None}}}
)
"""Format of a file -> how matplotlib saves it. No file has its date: the same run gives the same bytes."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return every figure that a run may have: file name without suffix -> maker."""
    found: dict[str, Callable[[], Figure]] = {}
    for makers in by_module(run):
        for name, make in makers.items():
            found[_free(_plain(name), found)] = make
    return found


def by_module(run: StoredRun) -> Iterator[Mapping[str, Callable[[], Figure]]]:
    """Yield the figures that a run may have, module by module: name -> maker."""
    for module in MODULES:
        yield importlib.import_module(f"{__name__}.{module}").figures(run)


def write(run: Run, folder: Path, results: Path) -> Iterator[str]:
    """Write the figures of a run as `folder`/NAME.png, .svg and .pdf; yield a line for each figure, written or not.

    `results` is the folder of the run's records. Raises BenchError if `folder` cannot be written to.
    """
    makers = figures(StoredRun(run, results))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if not makers:
        yield "no figure: nothing was measured at several numbers or compared, and nothing else was kept to be shown"
    for name, make in makers.items():
        try:
            content = contents(make)
        except BenchError as error:
            yield f"no figure {name}: {error}"
            continue
        yield save(folder / name, content)


def contents(make: Callable[[], Figure]) -> dict[str, bytes]:
    """Return a figure as the content of a file in every format."""
    from harness.figures.style import styled

    found = {}
    with styled():
        figure = make()
        for format in FORMATS:
            found[format] = _content(figure, format)
            figure.set_layout_engine("none")  # the layout of the first format is that of all
    return found


def save(path: Path, content: Mapping[str, bytes]) -> str:
    """Write a figure as PATH.FORMAT for every format; return a line with its files."""
    for format, data in content.items():
        store(path.with_name(f"{path.name}.{format}"), data)
    return f"figure {path}.{', .'.join(content)}"


def png(make: Callable[[], Figure]) -> bytes:
    """Return a figure as the content of a PNG file."""
    from harness.figures.style import styled

    with styled():
        return _content(make(), "png")


def _content(figure: Figure, format: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=format, **FORMATS[format])
    return stream.getvalue()


def _plain(name: str) -> str:
    """Return a file name that is valid on any system."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:100] or "figure"


def _free(name: str, taken: Collection[str]) -> str:
    number = 1
    while (free := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return free
