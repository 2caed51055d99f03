"""Arrays of inputs and classes as examples, from whatever kind of file."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy
import torch
from annotated_types import Ge
from numpy.typing import NDArray

from harness import BenchError, Dataset, Examples, FilePath, PositiveInt, UnitInterval, errors

from ._csv_values import FAR, LARGEST, ROUNDING, resolved
from ._files import located

if TYPE_CHECKING:
    from torch import Generator, Tensor

Array = NDArray[Any]

SHOWN = 8
"""Number of names that a message shows."""

PARTS = ("training", "validation", "test")

CHANNELS = (1, 3, 4)
"""Numbers of channels of images: gray, color, color with opacity."""


class Arrays(Dataset):
    """Arrays by name in one file: `x` holds the inputs, `y` the classes."""

    path: FilePath
    x: str = "x"
    y: str = "y"
    part: str | None = None
    shape: Sequence[PositiveInt] | None = None
    channels_last: bool | None = None
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    @abstractmethod
    def read(self, wanted: Sequence[str]) -> Iterator[Array]:
        """Read the arrays of these names. Raises BenchError for a file or an array that cannot be read."""

    def load(self, generator: Generator) -> Examples:
        """All rows in the order of the file."""
        with located(self.path):
            try:
                wanted = [self.x, self.y, *([self.part] if self.part else [])]
                x, y, *parts = self.read(wanted)
                return self._examples(x, y, *parts)
            except MemoryError:
                raise BenchError("needs more memory than there is") from None

    def _examples(self, x: Array, y: Array, part: Array | None = None) -> Examples:
        rows = {name: len(each) if each.ndim else 1 for name, each in ((self.x, x), (self.y, y))}
        rows |= {} if part is None or self.part is None else {self.part: len(part) if part.ndim else 1}
        if len(set(rows.values())) > 1:
            said = ", ".join(f"{name!r} has {count:,}" for name, count in rows.items())
            raise BenchError(f"arrays of different lengths: {said} rows")
        if not rows[self.x]:
            raise BenchError(f"{self.x!r} is empty")
        targets = classes(y, self.y)
        inputs, notes = single(_shaped(x, self.x, self.shape, self.channels_last), self.x, self.standardize)
        return Examples(
            inputs=torch.from_numpy(inputs),
            targets=targets.numbers,
            classes=targets.total,
            part=None if part is None else _parts(part, str(self.part)),
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
            notes=(*notes, *targets.notes),
        )


def missing(name: str, names: Sequence[str]) -> BenchError:
    """Return the error for a name that the file has not, with those it has."""
    if not names:
        return BenchError(f"no array {name!r}: there is none")
    near = errors.near_miss(name, names) if len(names) <= SHOWN else f" among {len(names)}: {', '.join(names[:SHOWN])}"
    return BenchError(f"no array {name!r}{near}")


class Classes(NamedTuple):
    """Class numbers [n] int64 in sorted order of what the file holds, their number, and notes."""

    numbers: Tensor
    total: int
    notes: tuple[str, ...]


def classes(y: Array, name: str) -> Classes:
    """Return the classes of whole numbers, booleans or texts [n]. Raises BenchError for any others."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = f"; of a number for each class take the largest: {name}.argmax(1)" if y.ndim == 2 else ""
        raise BenchError(
            f"{name!r} is {[*y.shape]}, expected one class for each row, [{len(y) if y.ndim else 'n'}]{hint}"
        )
    if y.dtype.kind not in "biuUS":
        raise BenchError(f"{name!r} holds {y.dtype} numbers, classes are whole numbers or texts: {name}.astype(int)")
    found, numbers = numpy.unique(y, return_inverse=True)
    if len(found) == 1:
        raise BenchError(f"all rows have the same class in {name!r}: {found[0].item()!r}")
    plain = y.dtype.kind in "US" or numpy.array_equal(found, numpy.arange(len(found)))
    note = f"{name!r}: classes {found[0].item()} to {found[-1].item()} are numbered 0 to {len(found) - 1}"
    return Classes(torch.from_numpy(numbers.astype(numpy.int64)), len(found), () if plain else (note,))


def _parts(part: Array, name: str) -> Tensor:
    if part.ndim != 1 or part.dtype.kind not in "iu" or part.min() < 0 or part.max() > 2:
        raise BenchError(f"{name!r} must hold 0 for training, 1 for validation and 2 for test, one for each row")
    absent = [PARTS[number] for number in (0, 2) if number not in part]
    if absent:
        raise BenchError(f"{name!r} leaves no {absent[0]} rows")
    return torch.from_numpy(part.astype(numpy.int64))


def _shaped(x: Array, name: str, shape: Sequence[int] | None, channels_last: bool | None) -> Array:
    """Return inputs [n, ...] in the shape asked for. Raises BenchError for inputs that do not have it."""
    if x.dtype.kind not in "biuf":
        raise BenchError(f"{name!r} holds {x.dtype}, inputs are real numbers")
    if shape is not None:
        if math.prod(shape) != math.prod(x.shape[1:]):
            raise BenchError(f"shape: inputs of {name!r} are {[*x.shape[1:]]}, which {[*shape]} does not hold")
        x = x.reshape(len(x), *shape)
    if x.ndim == 1:
        x = x[:, None]
    if not x.size:
        raise BenchError(f"{name!r} is {[*x.shape]}: inputs without a number")
    if channels_last is None and x.ndim > 2 and x.shape[-1] in CHANNELS and x.shape[1] not in CHANNELS:
        first = "[n, channels, ...] is expected, and these look like channels at the end"
        raise BenchError(f"{name!r} is {[*x.shape]}: {first}; say channels_last: true or false")
    if channels_last:
        if x.ndim < 3:
            raise BenchError(f"channels_last: {name!r} is {[*x.shape]}, without channels")
        x = numpy.moveaxis(x, -1, 1)
    return x


def single(x: Array, name: str, standardize: bool) -> tuple[NDArray[numpy.float32], list[str]]:
    """Return inputs [n, ...] in float32, and notes. Raises BenchError for numbers that float32 does not hold.

    From a column of wide numbers that lies far from 0 for its spread its smallest number is subtracted, exactly:
    float32 could not resolve it otherwise.
    """
    if x.dtype.kind == "f":
        wrong = ~numpy.isfinite(x.reshape(len(x), -1)).all(1)
        if wrong.any():
            what = "NaN" if numpy.isnan(x).any() else "infinite numbers"
            raise BenchError(f"{name!r} holds {what} in {int(wrong.sum()):,} rows, first in row {int(wrong.argmax())}")
    if x.dtype.itemsize <= 2 or x.dtype == numpy.float32:
        return numpy.ascontiguousarray(x, dtype=numpy.float32), []
    low, high = x.min(0), x.max(0)
    spread = (high.astype(object) - low.astype(object)).astype(numpy.float64)  # whole numbers exactly
    magnitude = numpy.maximum(numpy.abs(low.astype(numpy.float64)), numpy.abs(high.astype(numpy.float64)))
    if magnitude.max() > LARGEST:
        raise BenchError(f"{name!r} holds {magnitude.max():.3g}, more than float32 does")
    far = (magnitude > FAR * spread) & (spread > 0)
    found = numpy.where(far, x - low, x) if far.any() else x
    if x.ndim == 2:
        _check_columns(found, name, spread, magnitude)
    moved = "from numbers of {} their smallest is subtracted, which float32 could not resolve otherwise"
    notes = [moved.format(repr(name))] if far.any() and not standardize else []
    return numpy.ascontiguousarray(found, dtype=numpy.float32), notes


def _check_columns(x: Array, name: str, spread: Array, magnitude: Array) -> None:
    """Raises BenchError for a column of a table that rounding alone makes vary, or that float32 cannot resolve."""
    for column in range(x.shape[1]):
        about = f"column {column} of {name!r}"
        if 0 < spread[column] <= ROUNDING * magnitude[column]:
            raise BenchError(f"{about} is constant up to rounding: it spreads by {spread[column]:.3g}; leave it out")
        if spread[column] and not resolved(x[:, column].astype(numpy.float64)):
            raise BenchError(f"float32 cannot resolve {about}; change its unit or leave it out")
