"""The HTML page of stored runs: their figures and commands, and the file that a browser opens."""

from __future__ import annotations

import io
import json
import os
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.errors import BenchError
from harness.report.html import Picture, Subject, page
from harness.report.words import counted
from harness.results import Run, runs
from harness.results.packed import is_packed
from harness.results.store import write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8
"""Number of figures on a page: the first of every kind, then the second of every kind, and so on."""
LARGE = 250
"""Number of rows of a run from which its page has no figures, which would take longer than all else."""
LINES: Mapping[str, Any] = MappingProxyType({"format": "svg", "metadata": {"Date": None}})
PIXELS: Mapping[str, Any] = MappingProxyType({"format": "webp", "dpi": 120, "pil_kwargs": {"quality": 85}})
DENSE = 5000
"""Number of points and vertices of a figure from which it is an image of pixels."""


def rendered(results: Path, which: Sequence[str]) -> str:
    """Return the page of one run, or of several side by side. Raises BenchError for a run that is not there."""
    return page([_subject(results, each) for each in which])


def written(results: Path, which: Sequence[str]) -> Path:
    """Write the page of some runs beside the first of them, and return its path."""
    place = runs.place(results, which[0])
    name = "report.html" if place.name == "result.json" else f"{place.stem}.html"
    file = place.with_name(name if len(which) == 1 else "side-by-side.html")
    write(file, rendered(results, which))
    return file.resolve()


def opened(file: Path) -> bool:
    """Open a page in the user's browser; return whether there is one, on a screen."""
    has_screen = os.name == "nt" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return has_screen and webbrowser.open(file.as_uri())


def _subject(results: Path, which: str) -> Subject:
    with runs.opened(results, which) as (run, folder):
        pictures, remark = drawn(run, folder)
        return Subject(run, _command(runs.place(results, which)), tuple(pictures), remark)


def _command(place: Path) -> str:
    """Return the command that repeats a run, if it is stored beside its result."""
    if is_packed(place):
        return ""
    try:
        return str(json.loads((place.parent / "repeat.json").read_bytes())["command"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def drawn(run: Run, results: Path) -> tuple[list[Picture], str]:
    """Draw the figures of a run for a page; return them, and in a sentence which ones are not there."""
    command = f"bench report {run.run or 'RUN'} --figures DIR"
    if len(run.cells) > LARGE:
        return [], f"A page of more than {LARGE} rows has no figures: {command} draws them."
    makers = _makers(run, results)
    rest = len(makers) - MOST
    remark = f"{counted(rest, 'more figure')}: {command} draws all of them." if rest > 0 else ""
    chosen = {name for name, _ in _in_turn(makers)[:MOST]}
    return [_picture(name, make) for name, _, make in makers if name in chosen], remark


def _makers(run: Run, results: Path) -> list[tuple[str, int, Callable[[], Figure]]]:
    """Return the name, the place among those of its module, and the maker of every figure."""
    from harness.figures import StoredRun, by_module

    modules = by_module(StoredRun(run, results))
    return [(name, place, make) for makers in modules for place, (name, make) in enumerate(makers.items())]


def _in_turn(makers: Sequence[tuple[str, int, Callable[[], Figure]]]) -> list[tuple[str, int]]:
    return sorted(((name, place) for name, place, _ in makers), key=lambda each: each[1])


def _picture(name: str, make: Callable[[], Figure]) -> Picture:
    """Draw a figure, as pixels if it has very many points."""
    import matplotlib

    from harness.figures.style import styled

    try:
        with styled(), matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": name}):
            figure = make()
            words = " ".join(filter(None, map(str.strip, (figure.get_suptitle(), figure.get_supxlabel()))))
            stream, dense = io.BytesIO(), _vertices(figure) > DENSE
            figure.savefig(stream, **(PIXELS if dense else LINES))
    except BenchError as error:
        return Picture(name, why=str(error))
    return Picture(name, " ".join(words.split()), "image/webp" if dense else "image/svg+xml", stream.getvalue())


def _vertices(figure: Figure) -> int:
    """Count the points and vertices of a figure's collections and lines."""
    import numpy

    found = 0
    for axes in figure.axes:
        for line in axes.lines:
            found += numpy.size(line.get_xdata())
        for each in axes.collections:
            found += numpy.size(each.get_offsets()) // 2
            for path in each.get_paths():
                found += numpy.size(path.vertices) // 2
    return found
