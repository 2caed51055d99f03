"""Handwritten digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch
from annotated_types import Ge

from harness import Dataset, Examples, UnitInterval, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class Digits(Dataset):
    """Handwritten digits, 1,797 scans of 8x8 (Alpaydin and Kaynak, 1998).

    Real scans: 64 columns in [0, 1], 10 classes. Columns are raw gray levels 0 to 16 divided by 16. `label_noise` and
    `imbalance` are applied by the harness, per seed.
    """

    reference = """
    @misc{alpaydin1998digits, author = {Alpaydin, Ethem and Kaynak, Cenk}, title = {Optical Recognition of
      Handwritten Digits}, howpublished = {UCI Machine Learning Repository}, year = {1998}}"""

    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0

    def load(self, generator: Generator) -> Examples:
        """The table from scikit-learn's own copy; nothing is downloaded."""
        from sklearn.datasets import load_digits

        inputs, targets = load_digits(return_X_y=True)
        return Examples(
            inputs=torch.from_numpy(inputs).div(16).float(),
            targets=torch.from_numpy(targets).long(),
            classes=10,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
        )


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Digits]
