"""Generated images beside real ones: a mosaic for every contender, with the same noise at the same position."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.figures.exhibits import Exhibit, captioned, shown, titled
from harness.figures.run import StoredRun
from harness.figures.style import headed, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float32]
GAP = 1
"""Pixels between images."""
SQUARES = 64
"""Length from which vectors are drawn as square images, if it is a square number."""


def figures(run: StoredRun) -> Mapping[str, Callable[[], Figure]]:
    """Return samples-PROBLEM, for every problem whose samples are images."""
    return shown(run, "sampler", "samples", _are_images, partial(_samples, run))


def _are_images(arrays: Mapping[str, Any]) -> bool:
    return as_images(arrays["samples"]) is not None


def _samples(run: StoredRun, found: Exhibit) -> Figure:
    """Draw the real images first, then every contender."""
    arrays = [contender.arrays for contender in found.contenders]
    real = next((each["real"] for each in arrays if "real" in each), None)
    low, high = limits(arrays, real)
    figure, panels = sheet(len(arrays) + (real is not None), 4, 2.3, 2.55)
    if real is not None:
        mosaic_on(panels[0], real, low, high)
        panels[0].set_title("data", fontsize=7.5, fontweight="bold")
    for axes, contender in zip(panels[real is not None :], found.contenders, strict=True):
        mosaic_on(axes, contender.arrays["samples"], low, high)
        titled(axes, run, contender)
    caption = [
        f"The first samples of seed 0: a place is the same noise for every contender. Values from {low:.3g} (dark) to "
        f"{high:.3g} (light) are shown, those beyond as the nearer end."
    ]
    return headed(figure, f"Samples of {found.title}", [*caption, *captioned(run, found)])


def mosaic_on(axes: Axes, samples: Array, low: float, high: float) -> None:
    """Draw images [n, *shape] with these values of black and white."""
    picture = mosaic(np.clip((samples - low) / ((high - low) or 1.0), 0, 1))
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_axis_off()


def limits(arrays: list[dict[str, Array]], real: Array | None) -> tuple[float, float]:
    """Return the values of black and white: the range that the denoiser declares, else that of the real data."""
    known = next((each["range"] for each in arrays if "range" in each), None)
    if known is not None:
        return float(known[0]), float(known[1])
    seen = real if real is not None else np.concatenate([each["samples"] for each in arrays])
    return float(seen.min()), float(seen.max())


def as_images(samples: Array) -> Array | None:
    """Convert [n, *shape] to [n, h, w] gray or [n, h, w, 3] in color; None if these are not images."""
    shape = samples.shape[1:]
    if len(shape) == 3 and shape[0] in (1, 3):
        return samples[:, 0] if shape[0] == 1 else samples.transpose(0, 2, 3, 1)
    side = math.isqrt(math.prod(shape))
    if len(shape) == 1 and side * side == shape[0] >= SQUARES:
        return samples.reshape(-1, side, side)
    return samples if len(shape) == 2 else None


def mosaic(samples: Array) -> Array:
    """Arrange the first images [n, *shape] in [0, 1] as one image, row by row, in a square of 2 to 8 a side."""
    images: Any = as_images(samples)
    side = min(math.isqrt(len(images)), 8 if max(images.shape[1:3]) <= 16 else 5)
    height, width = images.shape[1] + GAP, images.shape[2] + GAP
    picture = np.ones((side * height - GAP, side * width - GAP, *images.shape[3:]), np.float32)
    for place, image in enumerate(images[: side * side]):
        row, column = divmod(place, side)
        picture[row * height :, column * width :][: height - GAP, : width - GAP] = image
    return picture
