"""One group of items with given labels and free logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from harness import BenchError, Dataset, Examples, NonNegative, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class LabelTable(Dataset):
    """One group whose items have the given distributions as labels.

    `labels` has a row for each item, which sums to 1. The input of an item is its row of the identity, so a `linear`
    model can give every item any logits: training searches the loss's own minimizer, and nothing else is in the way.
    Inputs [1, items, items], targets [1, items, classes], float32. The group is the training, the validation and the
    test part.
    """

    labels: Sequence[Sequence[NonNegative]] = ((0.5, 0.3, 0.2),)

    def load(self, generator: Generator) -> Examples:
        """The fixed table; nothing is drawn. Raises BenchError for rows of unequal length or another sum than 1."""
        if len({len(row) for row in self.labels}) != 1 or len(self.labels[0]) < 2:
            raise BenchError("label_table.labels: expected rows of one length, with two classes or more")
        targets = torch.tensor(self.labels, dtype=torch.float64)
        if not torch.allclose(targets.sum(-1), torch.ones(len(targets), dtype=torch.float64), rtol=0, atol=1e-6):
            raise BenchError("label_table.labels: expected rows that sum to 1")
        return Examples(
            inputs=torch.eye(len(targets)).expand(3, -1, -1).clone(),
            targets=targets.float().expand(3, -1, -1).clone(),
            classes=targets.shape[1],
            task="grouped",
            part=torch.arange(3),
        )


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [LabelTable]
