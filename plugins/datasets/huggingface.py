"""Data sets from the Hugging Face hub."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy
import torch
from annotated_types import Ge

from harness import BenchError, Dataset, Examples, PathOrId, PositiveInt, UnitInterval, errors, hookimpl

from ._arrays import classes, single
from ._copies import SPLITS, check_copy, has_copy, parts, unreachable
from ._files import located
from ._images import height_and_width, pixels

if TYPE_CHECKING:
    from torch import Generator

    from ._images import Opened


class Huggingface(Dataset):
    """Images or numbers from the Hugging Face hub, read from a copy on disk.

    `dataset` is the id at the hub, with `config` and `revision` where needed. `path` is the folder of the copy, one for
    each data set, as `save_to_disk` of the library `datasets` writes it: `bench fetch SUITE.yaml` fills it, and a run
    reads it without a network. A folder that you saved yourself works too.

    `x` names the column of inputs: images, which are treated as by `image_folder` with its `size` and `mode`, or
    numbers and lists of numbers of one shape, treated as by `npz`. `y` names the column of classes. The parts `train`,
    `test` and `validation` are the split, other parts are left out; without `test` every seed draws its own, without
    `validation` a tenth of the training rows is it. For a table of several columns save it as Parquet and use
    `parquet`.

    Needs the package datasets: `pip install 'touchstone-bench[huggingface]'`. `label_noise` and `imbalance` are applied
    by the harness, per seed. Raises BenchError in one line.
    """

    dataset: str = ""
    path: PathOrId
    config: str | None = None
    revision: str | None = None
    x: str = "image"
    y: str = "label"
    size: PositiveInt | Sequence[PositiveInt] | None = None
    mode: Literal["color", "grayscale"] = "color"
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Examples:
        """Every row of the parts, in their order."""
        with located(self.path):
            return self._examples(generator)

    def _examples(self, generator: Generator) -> Examples:
        found, others = self._parts()
        inputs, notes = self._inputs([*found.values()])
        targets = classes(numpy.concatenate([numpy.asarray(part[self.y]) for part in found.values()]), self.y)
        numbers = [number for number, part in found.items() for _ in range(len(part))]
        part, held = parts(numbers, generator) if {0, 2} <= set(found) else (None, ())
        left = (f"parts that are left out: {', '.join(others)}",) if others else ()
        return Examples(
            inputs=torch.from_numpy(inputs),
            targets=targets.numbers,
            classes=targets.total,
            part=part,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
            notes=(*notes, *targets.notes, *held, *left),
        )

    def to_fetch(self) -> str | None:
        """Name of the data set, if `path` has no copy."""
        return None if has_copy(self.path) or not self.dataset else self.dataset

    def fetch(self) -> bool:
        """Download the data set and save it in `path`, unless something is there."""
        if has_copy(self.path):
            return False
        if not self.dataset:
            raise BenchError("no data set to download: `dataset` is its id at the hub", self.path)
        library, half = _library(), Path(f"{self.path}.part")
        try:
            shutil.rmtree(half, ignore_errors=True)
            library.load_dataset(self.dataset, self.config, revision=self.revision).save_to_disk(str(half))
            half.replace(self.path)
        except Exception as error:  # of the network, of the hub, of the format
            raise BenchError(unreachable(self.dataset, error).what, self.path) from None
        return True

    def _parts(self) -> tuple[dict[int, Any], list[str]]:
        """Return the rows of each part of the split by its number, and the names of parts that are left out."""
        library = _library()
        check_copy(self.path, self.dataset or "a data set")
        try:
            content = library.load_from_disk(self.path)
        except Exception as error:  # files that are missing or damaged
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BenchError(f"is no folder that `datasets` saved, or damaged: {said}") from None
        named = content if isinstance(content, Mapping) else {"train": content}
        found = {SPLITS[name.lower()]: part for name, part in named.items() if name.lower() in SPLITS}
        if 0 not in found:
            raise BenchError(f"no training part among {', '.join(named)}")
        for column in (self.x, self.y):
            if column not in found[0].column_names:
                raise BenchError(f"no column {column!r}{errors.near_miss(column, found[0].column_names)}")
        return found, [name for name in named if name.lower() not in SPLITS]

    def _inputs(self, found: Sequence[Any]) -> tuple[Any, list[str]]:
        """Return the inputs [n, ...] of all parts, and notes."""
        if isinstance(found[0].features[self.x], _library().Image):
            opened: list[tuple[str, Opened]] = []
            for part in found:
                opened += [(f"row {k + 1}", partial(_image, part, k, self.x)) for k in range(len(part))]
            return pixels(opened, height_and_width(self.size, "size"), self.mode), []
        try:
            rows = numpy.concatenate([numpy.array(part[self.x][:]) for part in found])
        except ValueError:
            raise BenchError(f"the column {self.x!r} holds lists of different lengths") from None
        if rows.dtype.kind not in "biuf":
            kind = found[0].features[self.x]
            raise BenchError(f"the column {self.x!r} holds {kind}, inputs are images or numbers")
        return single(rows if rows.ndim > 1 else rows[:, None], self.x, self.standardize)


def _image(part: Any, place: int, column: str) -> Any:
    return part[place][column]


def _library() -> Any:
    try:
        import datasets
    except ImportError:
        what = "the library datasets is not installed: pip install 'touchstone-bench[huggingface]'"
        raise BenchError(what) from None
    return datasets


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Huggingface]
