"""Images from torchvision's data sets."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import torch
from annotated_types import Ge

from harness import BenchError, Dataset, Examples, PathOrId, PositiveInt, UnitInterval, errors, hookimpl

from ._copies import check_copy, files, has_copy, incomplete, parts, unreachable
from ._files import located
from ._images import height_and_width, pixels

if TYPE_CHECKING:
    from torch import Generator


class Torchvision(Dataset):
    """Images from a data set of torchvision, read from a copy on disk.

    `dataset` is a class of `torchvision.datasets` whose examples are images with a class: `CIFAR10`, `FashionMNIST`,
    `SVHN`, ... `path` is the folder of the copy, one for each data set: `bench fetch SUITE.yaml` fills it, and a run
    reads it without a network. The split is torchvision's, of training and test images, and a tenth of the training
    images is the validation part. Where there is no such split every seed draws its own.

    Inputs, `size`, `mode` and `standardize` are those of `image_folder`. Needs the package torchvision, in the version
    for the installed torch.

    `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError in one line.
    """

    dataset: str
    path: PathOrId
    size: PositiveInt | Sequence[PositiveInt] | None = None
    mode: Literal["color", "grayscale"] = "color"
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Examples:
        """Training images, then test images, in torchvision's order."""
        with located(self.path):
            return self._examples(height_and_width(self.size, "size"), generator)

    def _examples(self, size: tuple[int, int] | None, generator: Generator) -> Examples:
        found = dict(self._parts(download=False))
        opened, targets, numbers = [], [], []
        for number, images in found.items():
            opened += [(f"image {k}", partial(_image, images, k)) for k in range(len(images))]
            targets += [images[k][1] for k in range(len(images))]
            numbers += [number] * len(images)
        if not all(isinstance(target, int) for target in targets):
            raise BenchError(f"{self.dataset} has no single class for each image")
        part, notes = parts(numbers, generator) if len(found) > 1 else (None, ())
        return Examples(
            inputs=torch.from_numpy(pixels(opened, size, self.mode)),
            targets=torch.tensor(targets),
            classes=max(targets) + 1,
            part=part,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
            notes=notes,
        )

    def to_fetch(self) -> str | None:
        """Name of the data set, if `path` has no copy."""
        return None if has_copy(self.path) else self.dataset

    def fetch(self) -> bool:
        """Download what is missing in `path`."""
        before = files(self.path)
        with located(self.path):
            every = len(dict(self._parts(download=True)))
        return every > 0 and files(self.path) != before

    def _parts(self, download: bool) -> Iterator[tuple[int, Any]]:
        """Yield (number of the part, torchvision's data set)."""
        cls = _class(self.dataset)
        taken = inspect.signature(cls).parameters
        options: dict[int, dict[str, object]] = {0: {}}
        if "train" in taken:
            options = {0: {"train": True}, 2: {"train": False}}
        elif "split" in taken:
            options = {0: {"split": "train"}, 2: {"split": "test"}}
        if not download:
            check_copy(self.path, self.dataset)
        for number, more in options.items():
            try:
                yield number, cls(self.path, **more, **({"download": download} if "download" in taken else {}))
            except Exception as error:  # torchvision raises anything where files are missing, or the network is
                raise unreachable(self.dataset, error) if download else incomplete(self.dataset, error) from None


def _image(images: Any, place: int) -> Any:
    return images[place][0]


def _class(name: str) -> Any:
    """Return a class of torchvision.datasets. Raises BenchError without torchvision, or for a name it has not."""
    try:
        from torchvision import datasets
    except ImportError:
        raise BenchError(
            "torchvision is not installed: pip install torchvision, in the version for your torch"
        ) from None
    except Exception as error:  # its operators are compiled for one version of torch
        said = str(error).splitlines()[0]
        raise BenchError(f"torchvision cannot be imported beside this torch {torch.__version__}: {said}") from None
    if name not in datasets.__all__:
        raise BenchError(f"torchvision has no data set {name!r}{errors.near_miss(name, datasets.__all__)}")
    return getattr(datasets, name)


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Torchvision]
