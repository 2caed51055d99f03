"""Iris flowers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import AtLeastOne, Data, Dataset, Unit, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class Iris(Dataset):
    """150 flowers, 4 lengths in cm, 3 species of 50 as classes (Fisher, 1936).

    Raw columns: the split is drawn later, and scaling by the whole table would let test rows into training.
    `label_noise` and `imbalance` are applied by the harness, per seed.
    """

    label_noise: Unit = 0.0
    imbalance: AtLeastOne = 1.0

    def load(self, generator: Generator) -> Data:
        """The table from scikit-learn's own copy; nothing is fetched."""
        from sklearn.datasets import load_iris

        inputs, targets = load_iris(return_X_y=True)
        return Data(
            inputs=torch.from_numpy(inputs).float(),
            targets=torch.from_numpy(targets).long(),
            classes=3,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
        )


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Iris]
