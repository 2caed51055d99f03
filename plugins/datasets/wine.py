"""Wine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import AtLeastOne, Data, Dataset, Unit, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class Wine(Dataset):
    """178 wines of one region, 13 chemical measurements, 3 growers as classes (Forina et al., 1988).

    The harness standardises the columns by the seed's own training rows, unless told not to, and applies `label_noise`
    and `imbalance`, per seed too.
    """

    label_noise: Unit = 0.0
    imbalance: AtLeastOne = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Data:
        """The table from scikit-learn's own copy; nothing is fetched."""
        from sklearn.datasets import load_wine

        inputs, targets = load_wine(return_X_y=True)
        return Data(
            inputs=torch.from_numpy(inputs).float(),
            targets=torch.from_numpy(targets).long(),
            classes=3,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
        )


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Wine]
