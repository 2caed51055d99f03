"""Base class of the small tables that come with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Ge

from harness import Dataset, Examples, UnitInterval

if TYPE_CHECKING:
    from torch import Generator


class Bundled(Dataset):
    """A table of measurements from scikit-learn's own copy; nothing is downloaded. `loader` is its function there."""

    loader: ClassVar[str]
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Examples:
        """The table as it is; the harness applies noise, imbalance and standardization."""
        from sklearn import datasets

        inputs, targets = getattr(datasets, self.loader)(return_X_y=True)
        return Examples(
            inputs=torch.from_numpy(inputs).float(),
            targets=torch.from_numpy(targets).long(),
            classes=int(targets.max()) + 1,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
        )
