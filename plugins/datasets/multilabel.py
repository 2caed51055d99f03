"""Examples with several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import torch
from annotated_types import Ge

from harness import Dataset, Examples, PositiveInt, UnitInterval, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

MOST = 3
"""Largest number of overlaid scans."""


class Multilabel(Dataset):
    """Examples with several labels: overlaid digits, or generated ones.

    Targets float32 0 or 1 [examples, labels]. `digits`: the pixelwise maximum of 1 to 3 real 8x8 scans (Alpaydin and
    Kaynak, 1998), labeled with the digits on them: 64 columns in [0, 1], 10 labels. The scans are split 60/20/20 first
    and the examples built within each part, so that no scan is in two; every seed has this split. Examples of one part
    share its scans: they are not quite independent, and an interval over examples is somewhat too narrow.

    `generated`: scikit-learn's `make_multilabel_classification`, counts of `features` words in documents on some of
    `labels` topics, `labels_per_example` on average up to Poisson draws above `labels`, which are repeated; the three
    fields have no other effect. With `standardize` the harness shifts and scales the counts by the mean and deviation
    of the seed's own training rows: unscaled counts mostly measure how well a loss is conditioned. `label_noise` is
    applied by the harness, per seed: the share of training and validation entries flipped.
    """

    reference = """
    @misc{alpaydin1998digits, author = {Alpaydin, Ethem and Kaynak, Cenk}, title = {Optical Recognition of
      Handwritten Digits}, howpublished = {UCI Machine Learning Repository}, year = {1998}}"""

    source: Literal["digits", "generated"] = "digits"
    examples: PositiveInt = 4000
    labels: Annotated[int, Ge(2)] = 20
    labels_per_example: PositiveInt = 3
    features: PositiveInt = 20
    standardize: bool = True
    label_noise: UnitInterval = 0.0

    def load(self, generator: Generator) -> Examples:
        """The table, always the same; nothing is downloaded."""
        inputs, targets, part = (self._digits if self.source == "digits" else self._generated)(generator)
        return Examples(
            inputs=inputs,
            targets=targets,
            classes=targets.shape[1],
            task="multilabel",
            part=part,
            standardize=self.standardize and self.source == "generated",
            label_noise=self.label_noise,
        )

    def _digits(self, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        from sklearn.datasets import load_digits

        pixels, digits = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
        pixels, part = pixels.float() / 16, _parts(self.examples)
        of_scan = _parts(len(digits))[torch.randperm(len(digits), generator=generator)]
        made = [
            _overlaid(pixels[of_scan == k], digits[of_scan == k], int((part == k).sum()), generator) for k in range(3)
        ]
        inputs, targets = (torch.cat(tables) for tables in zip(*made, strict=True))
        return inputs, targets, part

    def _generated(self, generator: Generator) -> tuple[Tensor, Tensor, None]:
        from sklearn.datasets import make_multilabel_classification

        inputs, targets = make_multilabel_classification(
            n_samples=self.examples,
            n_features=self.features,
            n_classes=self.labels,
            n_labels=self.labels_per_example,
            random_state=int(torch.randint(2**31, (), generator=generator)),
        )
        return torch.from_numpy(inputs).float(), torch.from_numpy(targets).float(), None


def _parts(n: int) -> Tensor:
    """Parts of n rows: 60 % of 0 (training), 20 % of 1 (validation), 20 % of 2 (test)."""
    held = round(0.2 * n)
    return torch.arange(3).repeat_interleave(torch.tensor([n - 2 * held, held, held]))


def _overlaid(pixels: Tensor, digits: Tensor, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Examples of 1 to 3 scans each, `count` of them: (inputs [count, 64], targets [count, 10])."""
    scans = torch.randint(len(digits), (count, MOST), generator=generator)
    used = torch.arange(MOST) < torch.randint(1, MOST + 1, (count, 1), generator=generator)
    inputs = torch.where(used[..., None], pixels[scans], 0.0).amax(1)
    return inputs, torch.zeros(count, 10).scatter_reduce(1, digits[scans], used.float(), "amax")


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Multilabel]
