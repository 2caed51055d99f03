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
from typing import TYPE_CHECKING

from harness.errors import BenchError
from harness.figures.run import StoredRun
from harness.results import Run
from harness.results.store import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StoredRun", "figures", "write"]

MODULES = ("claims", "front", "forest", "against", "samples", "path", "steps", "occurrences", "ball")
"""Modules that draw, in the order in which their figures are written."""


def figures(run: StoredRun) -> dict[str, Callable[[], Figure]]:
    """Return every figure that a run may have: file name without suffix -> maker."""
    found: dict[str, Callable[[], Figure]] = {}
    for module in MODULES:
        makers: Mapping[str, Callable[[], Figure]] = importlib.import_module(f"{__name__}.{module}").figures(run)
        for name, make in makers.items():
            found[_free(_plain(name), found)] = make
    return found


def write(run: Run, folder: Path, results: Path) -> Iterator[str]:
    """Write the figures of a run as `folder`/NAME.png; yield a line for each, written or not.

    `results` is the folder of the run's records. Raises BenchError if `folder` cannot be written to.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    makers = figures(StoredRun(run, results))
    if not makers:
        yield "no figure: nothing was measured at several numbers or compared, and nothing else was kept to be shown"
    for name, make in makers.items():
        file = folder / f"{name}.png"
        try:
            picture = png(make)
        except BenchError as error:
            yield f"no figure {file.name}: {error}"
            continue
        with writing(file):
            file.write_bytes(picture)
        yield f"figure {file}"


def png(make: Callable[[], Figure]) -> bytes:
    """Return a figure as the content of a PNG file."""
    from harness.figures.style import styled

    stream = io.BytesIO()
    with styled():
        make().savefig(stream, format="png")
    return stream.getvalue()


def _plain(name: str) -> str:
    """Return a file name that is valid on any system."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:100] or "figure"


def _free(name: str, taken: Collection[str]) -> str:
    number = 1
    while (free := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return free
