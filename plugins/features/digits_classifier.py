"""Features of a classifier of digits."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F

from harness import BenchError, Feature, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

SIZES = (64, 96, 32, 10)


class DigitsClassifier(Feature):
    """Hidden layer of a small network that classifies handwritten digits.

    The last hidden layer: samples of 64 values -> [n, 32]. Samples are 8x8 pictures, paper at `low` and ink at `high`.
    The network, 96 and 32 units with ReLU, is trained on scikit-learn's 1,797 scans in half a second and always gets
    the same weights; trained on three quarters of them, it classifies 97 % of the others correctly. Raises BenchError
    for samples of another size.
    """

    needs_data: ClassVar[bool] = False

    low: float = -1.0
    high: float = 1.0

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Weights of the network; the reference data only show the size."""
        if data[0].numel() != SIZES[0]:
            raise BenchError(f"digits_classifier takes 8x8 pictures, not samples {[*data.shape[1:]]}")
        from sklearn.datasets import load_digits

        scans, labels = load_digits(return_X_y=True)
        return train(torch.from_numpy(scans).float() / 16, torch.from_numpy(labels).long())

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        gray = (x.flatten(1).float() - self.low) / (self.high - self.low)
        return _hidden([part.to(x.device) for part in prepared.values()], gray)


def train(x: Tensor, labels: Tensor, epochs: int = 30, batch: int = 64) -> dict[str, Tensor]:
    """Weights and biases of the network fitted to gray levels [n, 64] in [0, 1] by Adam on cross-entropy."""
    generator = torch.Generator().manual_seed(0)
    parts = {}
    for layer, (inputs, outputs) in enumerate(itertools.pairwise(SIZES)):
        parts[f"weight{layer}"] = torch.randn(outputs, inputs, generator=generator) * (2 / inputs) ** 0.5
        parts[f"bias{layer}"] = torch.zeros(outputs)
    learned = [part.requires_grad_() for part in parts.values()]
    optimizer = torch.optim.Adam(learned, lr=3e-3)
    with torch.enable_grad():
        for rows in (r for _ in range(epochs) for r in torch.randperm(len(x), generator=generator).split(batch)):
            logits = F.linear(_hidden(learned, x[rows]), *learned[4:])
            optimizer.zero_grad()
            F.cross_entropy(logits, labels[rows]).backward()
            optimizer.step()
    return {name: part.detach() for name, part in parts.items()}


def _hidden(parts: list[Tensor], x: Tensor) -> Tensor:
    return F.relu(F.linear(F.relu(F.linear(x, *parts[:2])), *parts[2:4]))


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [DigitsClassifier]
