"""Arrays from an .npz file."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence

import numpy

from harness import BenchError, Dataset, hookimpl

from ._arrays import Array, Arrays, missing
from ._files import check_file

OBJECTS = re.compile(rb"'[|<>=]?O\d*'")
"""Type of Python objects in the header of an array."""

HEADER = 4096
"""Bytes in which the type of an array stands."""

ENDING = ".npy"


class NPZ(Arrays):
    """Arrays from an `.npz` file, inputs of any shape.

    A file as `numpy.savez` writes it. `x` and `y` name the arrays: inputs [n, ...] and classes [n] or [n, 1].

    - Inputs are real numbers of any type, without NaN. `shape: [1, 28, 28]` gives every input this shape;
      `channels_last: true` moves the last dimension to the front, where convolutions of torch have the channels. Where
      the last dimension is 1, 3 or 4 and the first is not, it has to be said, true or false.
    - Wide numbers far from 0 become float32 after a column's smallest is subtracted, so that an offset changes nothing.
    - Classes are whole numbers, booleans or texts, numbered in sorted order.
    - `part` names an array of 0 for training, 1 for validation and 2 for test. Without it every seed draws its split.
    - With `standardize` inputs are shifted and scaled by the mean and deviation of the seed's own training rows: every
      number by its own; of inputs of three dimensions or more, images and volumes [channels, ...], every channel.

    Pickles are never loaded: an array of Python objects is an error. `label_noise` and `imbalance` are applied by the
    harness, per seed. Raises BenchError in one line with the file; `bench validate` reads the file too.
    """

    def read(self, wanted: Sequence[str]) -> Iterator[Array]:
        """The arrays of these names."""
        check_file(self.path)
        if not zipfile.is_zipfile(self.path):
            with open(self.path, "rb") as stream:
                alone = stream.read(6) == numpy.lib.format.MAGIC_PREFIX
            what = "holds a single array" if alone else "is no .npz file"
            raise BenchError(f"{what}: numpy.savez(FILE, x=x, y=y) writes one")
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [name.removesuffix(ENDING) for name in archive.namelist() if name.endswith(ENDING)]
                for name in wanted:
                    if name not in names:
                        raise missing(name, names)
                    yield _array(archive, name)
        except (OSError, zipfile.BadZipFile) as error:
            raise BenchError(f"is damaged: {error}") from None


def _array(archive: zipfile.ZipFile, name: str) -> Array:
    """Read one array. Raises BenchError for one of objects, and for one that is damaged."""
    with archive.open(name + ENDING) as stream:
        if OBJECTS.search(stream.read(HEADER).split(b"\n")[0]):
            raise BenchError(f"{name!r} holds Python objects, and pickles are never loaded: save numbers or texts")
    try:
        with archive.open(name + ENDING) as stream:
            found: Array = numpy.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, zlib.error) as error:
        raise BenchError(f"{name!r} is damaged: {str(error).splitlines()[0]}") from None
    return found


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [NPZ]
