"""Handwritten digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import AtLeastOne, Data, Dataset, Unit, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class Digits(Dataset):
    """1,797 real 8x8 scans of handwritten digits (Alpaydin and Kaynak, 1998). 64 columns in [0, 1], 10 classes.

    Raw grey levels 0 to 16 divided by 16. `label_noise` and `imbalance` are applied by the harness, per seed.
    """

    label_noise: Unit = 0.0
    imbalance: AtLeastOne = 1.0

    def load(self, generator: Generator) -> Data:
        """The table from scikit-learn's own copy; nothing is fetched."""
        from sklearn.datasets import load_digits

        inputs, targets = load_digits(return_X_y=True)
        return Data(
            inputs=torch.from_numpy(inputs).div(16).float(),
            targets=torch.from_numpy(targets).long(),
            classes=10,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
        )


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Digits]
