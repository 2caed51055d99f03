"""Images as arrays of one size, read by Pillow."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import IO, Any, Literal

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from harness import BenchError

SHOWN = 5
"""Number of files that a message names."""

Mode = Literal["color", "grayscale"]
Size = int | Sequence[int] | None
Pixels = NDArray[numpy.uint8]
Opened = Callable[[], "str | IO[bytes] | Image.Image"]
"""Gives an image, its file or its path."""


def height_and_width(size: Size, field: str) -> tuple[int, int] | None:
    """Return height and width of a field `size`. Raises BenchError for what is neither a number nor two."""
    found = [size, size] if isinstance(size, int) else None if size is None else [*size]
    if found is None:
        return None
    if len(found) != 2 or min(found) < 1:
        raise BenchError(f"{field}: expected one number, or height and width, each at least 1, got {size!r}")
    return found[0], found[1]


def pixels(
    images: Sequence[tuple[str, Opened]], size: tuple[int, int] | None, mode: Mode, mistakes: Sequence[str] = ()
) -> NDArray[numpy.float32]:
    """Return images [n, channels, height, width] in [0, 1].

    Raises BenchError with the `mistakes` known before and the names of images that cannot be read, or that differ in
    size where none is asked for.
    """
    found: list[Pixels] = []
    names: list[str] = []
    broken: list[str] = []
    for name, opened in images:
        if len(found) == 1:
            _check_memory(len(images), found[0].size)
        try:
            found.append(_pixels(opened(), size, mode))
            names.append(name)
        except Exception as error:  # readers of formats raise anything on broken files
            broken.append(f"{name}: {_reason(error)}")
    if broken or mistakes:
        more = [f"and {len(broken) - SHOWN} more"] if len(broken) > SHOWN else []
        raise BenchError("; ".join([*mistakes, *broken[:SHOWN], *more]))
    _check_sizes(found, names)
    rows = numpy.empty((len(found), *found[0].shape), dtype=numpy.float32)
    for row, image in zip(rows, found, strict=True):
        numpy.divide(image, 255, out=row)
    return numpy.ascontiguousarray(numpy.moveaxis(rows, -1, 1))


def _pixels(source: Any, size: tuple[int, int] | None, mode: Mode) -> Pixels:
    """Return one image [height, width, channels]."""
    with warnings.catch_warnings(action="ignore"):  # of large images and odd metadata
        if isinstance(source, Image.Image):
            return _plain(source, size, mode)
        with Image.open(source) as image:
            return _plain(image, size, mode)


def _plain(image: Image.Image, size: tuple[int, int] | None, mode: Mode) -> Pixels:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):  # Pillow would cut off what is brighter than 255
        upright = Image.fromarray((numpy.asarray(upright) >> 8).astype(numpy.uint8))
    plain = upright.convert("RGB" if mode == "color" else "L")
    if size is not None and plain.size != (size[1], size[0]):
        plain = plain.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    found = numpy.asarray(plain)
    return found if found.ndim == 3 else found[:, :, None]


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "is no image that Pillow knows"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"is a broken image: {str(error).splitlines()[0] if str(error) else type(error).__name__}"


def _check_sizes(images: Sequence[Pixels], names: Sequence[str]) -> None:
    first: dict[tuple[int, ...], str] = {}
    for image, name in zip(images, names, strict=True):
        first.setdefault(image.shape[:2], name)
    if len(first) > 1:
        said = ", ".join(f"{name} of {h} x {w}" for (h, w), name in [*first.items()][:SHOWN])
        raise BenchError(f"images of {len(first)} sizes, such as {said}: `size: 32` makes all of them 32 x 32")


def _check_memory(count: int, numbers: int) -> None:
    """Raises BenchError for images that would fill more than half of the memory as float32."""
    needed, memory = 4 * count * numbers, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 2 * needed > memory:
        said = f"{count:,} images take {needed / 2**30:.1f} GiB, more than half of the memory"
        raise BenchError(f"{said}: choose a smaller `size`")
