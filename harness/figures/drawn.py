"""Samples alone, without a run: a mosaic of images, points in the plane, histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.figures.samples import Array, as_images, limits, mosaic_on
from harness.figures.style import headed, sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 6
"""Number of coordinates that have a histogram."""


def drawn(samples: Array, title: str, caption: str) -> Figure:
    """Draw samples [n, *shape]."""
    if as_images(samples) is not None and len(samples) > 3:
        figure, (axes,) = sheet(1, 1, 4.0, 4.2)
        mosaic_on(axes, samples, *limits([{"samples": samples}], None))
        return headed(figure, title, [caption])
    flat = samples.reshape(len(samples), -1)
    if flat.shape[1] == 2:
        figure, (axes,) = sheet(1, 1, 4.0, 4.2)
        axes.scatter(flat[:, 0], flat[:, 1], s=6, alpha=0.6, linewidths=0)
        axes.set_aspect("equal", adjustable="datalim")
        return headed(figure, title, [caption])
    shown = min(flat.shape[1], MOST)
    figure, panels = sheet(shown, 3, 2.3, 1.9)
    for number, axes in enumerate(panels[:shown]):
        axes.hist(flat[:, number], bins="auto")
        axes.set_title(f"coordinate {number + 1}", fontsize=7.5)
    rest = f" The first {shown} of {flat.shape[1]} coordinates." if shown < flat.shape[1] else ""
    return headed(figure, title, [caption + rest])
