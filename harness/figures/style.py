"""Style of figures: colors distinguishable by the color-blind, markers distinguishable in gray, space for captions."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.axis import XAxis
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from harness.report.wrapping import wrapped
from harness.results import MetricInfo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008), without yellow, which is hard to see on white paper."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p", "h", "d")
DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2, 1, 2, 1, 2)))
FAINT, INK = "#767676", "#222222"

STYLE: Mapping[Any, Any] = MappingProxyType(
    {
        "figure.dpi": 150,
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.08,
        "savefig.dpi": 150,
        "savefig.facecolor": "white",
        "font.size": 9,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "lines.linewidth": 1.2,
        "lines.markersize": 4.5,
        "pdf.fonttype": 42,  # whole outlines: journals refuse type 3
        "svg.hashsalt": "touchstone",
        "text.parse_math": False,
    }
)
FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "Malgun Gothic",
)
"""Fonts for letters that matplotlib's own lacks, where they are installed."""
LEGEND, LABEL = 36, 34
"""Characters in which the names of a legend and of rows are wrapped."""
_SMALL = 7.5
_WIDE, _HIGH = 0.075, 0.155
"""Width of a character and height of a line of a legend, in inches."""
_ACROSS = 3
"""Panels with rows side by side, at most."""
_CHARACTERS = 16.5
"""Characters of the small font size per inch."""


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Apply the style of the harness inside a context, whatever the user's own settings are."""
    known = {font.name for font in fontManager.ttflist}
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)  # it is a box, and no more to say
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        matplotlib.rcParams["font.family"] = ["DejaVu Sans", *(name for name in FONTS if name in known)]
        log.setLevel(logging.ERROR)  # another weight of such a font will do
        try:
            yield
        finally:
            log.setLevel(level)


def sheet(
    count: int, across: int, width: float, height: float, aside: float = 0.0, named: Sequence[str] = ()
) -> tuple[Figure, list[Axes]]:
    """Create a figure of panels of a size in inches, at most so many side by side.

    There is space aside for the row labels of the first panel, or for a legend of the `named` (see `beside`).
    """
    columns = min(count, across)
    rows = -(-count // columns)
    lines = [line for name in named for line in wrapped(name, LEGEND)]
    if len(named) > 1:
        aside += 0.8 + max(map(len, lines)) * _WIDE
    size = (max(columns * width + aside, 4.5), max(rows * height, len(lines) * _HIGH) + 1.1)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for empty in panels[count:]:
        empty.remove()
    return figure, panels[:count]


def beside(figure: Figure, order: Callable[[str], Any] = lambda name: 0) -> None:
    """Add a legend at the right of all panels: each name once, in their order or another; none for a single name."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        handles |= {name: handle for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    names = sorted(handles, key=order)
    if len(names) > 1:
        texts = ["\n".join(wrapped(name, LEGEND)) for name in names]
        figure.legend([handles[name] for name in names], texts, loc="outside right center", handlelength=3.2)


def row_height(names: Iterable[str]) -> float:
    """Return the height of a row in inches that has room for any of the names."""
    return 0.08 + _HIGH * max((len(wrapped(name, LABEL)) for name in names), default=1)


def row_sheet(count: int, names: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Create a figure of so many panels with a row for each name, named in the first panel of a line."""
    height = max(1.2, 0.6 + row_height(names) * len(names))
    figure, panels = sheet(count, _ACROSS, 2.9, height, aside=2.4)
    for place, axes in enumerate(panels):
        _row_labels(axes, names, first=place % _ACROSS == 0)
    return figure, panels


def _row_labels(axes: Axes, names: Sequence[str], first: bool) -> None:
    """Name the rows of a panel from the top at 0, or leave a mark for each if it is not the first of its line."""
    texts = ["\n".join(wrapped(name, LABEL)) for name in names] if first else [""] * len(names)
    axes.set_yticks(range(len(names)), texts, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    for height in range(len(names)):
        axes.axhline(height, color="#eeeeee", linewidth=0.6, zorder=0)


def headed(figure: Figure, title: str, caption: Iterable[str]) -> Figure:
    """Add a title above the figure and sentences below, wrapped to its width."""
    width = int(figure.get_figwidth() * _CHARACTERS)
    lines = itertools.chain(*(textwrap.wrap(sentence, width, subsequent_indent="   ") for sentence in caption))
    figure.suptitle("\n".join(textwrap.wrap(title, int(width * 0.7))), x=0.01, ha="left", fontsize=10, weight="bold")
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=_SMALL, color="#444444", linespacing=1.35)
    return figure


def united(metric: MetricInfo) -> str:
    """Return a metric's label with its unit, for an axis."""
    return f"{metric.label} [{metric.unit}]" if metric.unit else metric.label


def few(items: Sequence[str], most: int = 8) -> list[str]:
    """Return the first of many lines, and the number of further ones."""
    return [*items] if len(items) <= most else [*items[: most - 1], f"and {len(items) - most + 1} more: see the report"]


def _plain(value: float, _: int | None = None) -> str:
    """Format a tick's number: in powers of ten only if it is very large or very small."""
    text = f"{value:,.10g}" if value == 0 or 1e-4 <= abs(value) < 1e7 else f"{value:g}"
    return text.replace("-", "−")


def plainly(*sides: Axis) -> None:
    """Use plain numbers at the ticks of axes of any scale."""
    for side in sides:
        side.set_major_formatter(FuncFormatter(_plain))
        side.set_minor_formatter(NullFormatter())


def ticked(axis: Axis) -> None:
    """Use few plain numbers at the ticks of a linear axis, so that they never touch."""
    axis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    plainly(axis)


def logarithmic(axes: Axes, ends: tuple[float, float]) -> None:
    """Use a logarithmic horizontal axis for numbers between the ends, with several ticks even within a decade."""
    axes.set_xscale("log")
    _spread(axes.xaxis, ends)


def _spread(axis: Axis, ends: tuple[float, float]) -> None:
    """Use plain numbers at the ticks of a logarithmic axis, several in a decade if there are few decades."""
    if ends[1] < 100 * ends[0]:
        is_full = ends[1] > 15 * ends[0] and isinstance(axis, XAxis)  # numbers beside each other would touch
        axis.set_major_locator(LogLocator(subs=(1.0, 3.0) if is_full else (1.0, 2.0, 5.0)))
        axis.set_minor_locator(NullLocator())
    plainly(axis)


def numbered(axes: Axes, values: Sequence[float]) -> None:
    """Set up a horizontal axis with a tick at every value, logarithmic if the values are far apart."""
    if values[0] > 0 and values[-1] >= 4 * values[0]:
        axes.set_xscale("log")
    shown = values if len(values) <= 8 else values[:: -(-len(values) // 8)]
    axes.xaxis.set_major_locator(FixedLocator(list(shown)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.margins(x=0.08)


def scale(axes: Axes, means: Sequence[float], lows: Sequence[float]) -> str:
    """Set up a vertical axis for means and the lower ends of their intervals; return a remark for the caption.

    For means that span decades: logarithmic if all are above 0; else linear around 0, up to the means that are not
    significantly above 0, and logarithmic beyond.
    """
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    sizes = [abs(mean) for mean in means if mean]
    if not sizes or max(sizes) < 20 * min(sizes):
        return ""
    if min(means) > 0:
        return _logarithmic(axes, (min(means), max(means)), min(lows))
    doubtful = [max(abs(mean), abs(low)) for mean, low in zip(means, lows, strict=True) if low <= 0]
    bend = _round(max(doubtful) or min(sizes))
    return _bent(axes, bend) if max(sizes) >= 5 * bend else ""


def _logarithmic(axes: Axes, ends: tuple[float, float], low: float) -> str:
    """Use a logarithmic axis down to a decade below the least mean, since an interval may extend to 0."""
    axes.set_yscale("log")
    _spread(axes.yaxis, ends)
    if low >= ends[0] / 10:
        return ""
    axes.set_ylim(bottom=ends[0] / 10)
    return "Bars that end at the lower edge go on below it."


def _bent(axes: Axes, bend: float) -> str:
    axes.set_yscale("symlog", linthresh=bend, linscale=0.5)
    limits = axes.get_ylim()
    beyond = [10.0**power for power in range(-30, 30) if bend * 1.5 < 10.0**power <= max(map(abs, limits))]
    axes.yaxis.set_major_locator(FixedLocator([*(-tick for tick in (bend, *beyond)), 0.0, bend, *beyond]))
    plainly(axes.yaxis)
    axes.axhspan(-bend, bend, color="#f2f2f2", zorder=0, linewidth=0)
    axes.set_ylim(limits)
    return f"In the shaded band, up to {bend:g}, the vertical axis is linear; beyond it is logarithmic."


def _round(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{next(step for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9)) * power:.3g}")
