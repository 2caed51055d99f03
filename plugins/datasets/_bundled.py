"""What the small tables that come with scikit-learn share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import AtLeastOne, Data, Dataset, Unit

if TYPE_CHECKING:
    from torch import Generator


class Bundled(Dataset):
    """A table of measurements from scikit-learn's own copy; nothing is fetched. `loader` is its function there."""

    loader: ClassVar[str]
    label_noise: Unit = 0.0
    imbalance: AtLeastOne = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Data:
        """The table as it is; noise, imbalance and standardisation are the harness's."""
        from sklearn import datasets

        inputs, targets = getattr(datasets, self.loader)(return_X_y=True)
        return Data(
            inputs=torch.from_numpy(inputs).float(),
            targets=torch.from_numpy(targets).long(),
            classes=int(targets.max()) + 1,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
        )
