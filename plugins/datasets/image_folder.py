"""Images from a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge
from PIL import Image

from harness import BenchError, Dataset, Examples, FilePath, PositiveInt, UnitInterval, hookimpl

from ._copies import SPLITS, parts
from ._files import check_folder, located
from ._images import height_and_width, pixels

if TYPE_CHECKING:
    from torch import Generator

SHOWN = 5


class Entry(NamedTuple):
    """File of an image, its class, and the part of the split it belongs to."""

    path: Path
    label: str
    part: int


class ImageFolder(Dataset):
    """Images from a folder with one folder for each class.

    Folders are classes, numbered in the order of their names; images below them count, however deep, in the order of
    their paths. The folder may hold `train`, `test` and perhaps `validation` instead, each with a folder for each
    class. Then the split is theirs, and without `validation` a tenth of the training images is it; else every seed
    draws its own. Hidden files are left out, and so are those that are no images by their names, with a note.

    Inputs [n, 3, height, width] in [0, 1], with `mode: grayscale` [n, 1, height, width]. Images are turned as their
    camera says and lose transparency. `size` (a number, or height and width) resizes all of them, whatever their
    proportions; without it they must have one size. With `standardize` every channel is shifted and scaled by its mean
    and deviation in the seed's own training images.

    `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError in one line with the folder
    and the images that cannot be read, and for a class without images; `bench validate` reads the images too.
    """

    path: FilePath
    size: PositiveInt | Sequence[PositiveInt] | None = None
    mode: Literal["color", "grayscale"] = "color"
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Examples:
        """All images, class by class."""
        with located(self.path):
            return self._examples(height_and_width(self.size, "size"), generator)

    def _examples(self, size: tuple[int, int] | None, generator: Generator) -> Examples:
        check_folder(self.path)
        root, others, empty = Path(self.path), list[Path](), list[str]()
        split = _is_split(root)
        found = _of_parts(root, others, empty) if split else _of_classes(root, root, 0, others, empty)
        names = sorted({entry.label for entry in found})
        if len(names) < 2 and not empty:
            raise BenchError(f"a single class, the folder {names[0]}: two classes or more need a folder each")
        opened = [(entry.path.relative_to(root).as_posix(), partial(str, entry.path)) for entry in found]
        inputs = pixels(opened, size, self.mode, _no_images(empty))
        part, notes = parts([entry.part for entry in found], generator) if split else (None, ())
        return Examples(
            inputs=torch.from_numpy(inputs),
            targets=torch.tensor([names.index(entry.label) for entry in found]),
            classes=len(names),
            part=part,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
            notes=(*notes, *_notes(others, root)),
        )


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _is_split(root: Path) -> bool:
    """Return whether a folder holds the parts of a split: training and test, and no class beside them."""
    names = [path.name.lower() for path in _folders(root)]
    return all(name in SPLITS for name in names) and {0, 2} <= {SPLITS[name] for name in names}


def _of_parts(root: Path, others: list[Path], empty: list[str]) -> list[Entry]:
    """Return the images of every part. Raises BenchError for a class that has none in the training part."""
    found: list[Entry] = []
    for folder in _folders(root):
        found += _of_classes(folder, root, SPLITS[folder.name.lower()], others, empty)
    unseen = sorted({e.label for e in found} - {e.label for e in found if e.part == 0})
    if unseen:
        raise BenchError(f"no training images of the class {', '.join(unseen[:SHOWN])}")
    return found


def _of_classes(folder: Path, root: Path, part: int, others: list[Path], empty: list[str]) -> list[Entry]:
    """Return the images of one folder of classes; files that are none go to `others`, classes without to `empty`.

    Raises BenchError for a folder without any image in a class.
    """
    known = set(Image.registered_extensions())
    found: list[Entry] = []
    loose = [path for path in sorted(folder.iterdir()) if not path.is_dir() and not path.name.startswith(".")]
    for label in _folders(folder):
        files = _below(label)
        images = [path for path in files if path.suffix.lower() in known]
        others += [path for path in files if path.suffix.lower() not in known]
        empty += [] if images else [label.relative_to(root).as_posix()]
        found += [Entry(path, label.name, part) for path in images]
    if not found and _folders(folder):
        raise BenchError(_no_images(empty)[0])
    if not found:
        where = "" if folder == root else f"the folder {folder.relative_to(root)}: "
        raise BenchError(f"{where}no folder of images for each class{f', but {len(loose):,} files' if loose else ''}")
    others += loose
    return found


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder in the order of their paths, without hidden ones."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    return sorted(found)


def _no_images(empty: Sequence[str]) -> list[str]:
    """Return the mistake that classes have no images, if some have none."""
    more = f" and {len(empty) - SHOWN} more" if len(empty) > SHOWN else ""
    return [f"no image in the class folder {', '.join(empty[:SHOWN])}{more}"] if empty else []


def _notes(others: Sequence[Path], root: Path) -> tuple[str, ...]:
    if not others:
        return ()
    names = ", ".join(path.relative_to(root).as_posix() for path in others[:SHOWN])
    more = ", ..." if len(others) > SHOWN else ""
    return (f"{len(others):,} files are no images in a class folder and left out: {names}{more}",)


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [ImageFolder]
