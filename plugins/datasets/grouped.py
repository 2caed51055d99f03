"""Groups of handwritten digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import torch
from annotated_types import Ge, Le

from harness import BenchError, Dataset, Examples, PositiveInt, UnitInterval, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

SHARES = (0.6, 0.2, 0.2)
"""Shares of the scans and of the groups: training, validation, test."""


class Grouped(Dataset):
    """Groups of handwritten digits, every item of a group to be classified.

    n items of m classes: `groups` groups of `items` real 8x8 scans each, of the first `classes` digits. Inputs [groups,
    items, 64] in [0, 1], targets [groups, items]. In the training groups digit 0 is `imbalance` times as frequent as
    any other (exactly, up to rounding: 98 with three classes is 98/1/1); validation and test groups are balanced. With
    `soft` every item is a blend of two scans, the first with a weight between `least_share` and 1, and its target
    [groups, items, classes] holds the two weights: the nearer `least_share` is to 1, the harder the labels. The parts
    are fixed and share no scan; within a part scans are used about equally often, so groups are not quite independent,
    and an interval over them is somewhat too narrow where a scan occurs often. `label_noise` is applied by the harness,
    per seed, to class numbers only.
    """

    groups: PositiveInt = 300
    items: PositiveInt = 20
    classes: Annotated[int, Ge(2), Le(10)] = 10
    imbalance: Annotated[float, Ge(1)] = 1.0
    soft: bool = False
    least_share: Annotated[float, Ge(0.5), Le(1)] = 0.5
    label_noise: UnitInterval = 0.0

    def load(self, generator: Generator) -> Examples:
        """The scans of scikit-learn's own copy, grouped with `generator`.

        Raises BenchError for too few groups to hold every class, and for noise on soft labels.
        """
        from sklearn.datasets import load_digits

        if self.soft and self.label_noise:
            raise BenchError("grouped: label_noise changes class numbers, soft labels have none")
        pixels, digits = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
        pools = [_parted((digits == number).nonzero()[:, 0], generator) for number in range(self.classes)]
        parts = [self._groups([pool[k] for pool in pools], k, generator) for k in range(3)]
        scans, weights = (torch.cat([part[k] for part in parts]) for k in range(2))
        inputs = (pixels[scans] / 16 * weights[..., None]).sum(2)
        labels = torch.nn.functional.one_hot(digits[scans], self.classes)
        return Examples(
            inputs=inputs.float(),
            targets=(labels * weights[..., None]).sum(2).float() if self.soft else digits[scans[..., 0]].long(),
            classes=self.classes,
            task="grouped",
            label_noise=self.label_noise,
            part=torch.repeat_interleave(torch.arange(3), torch.tensor([len(part[0]) for part in parts])),
        )

    def _groups(self, pools: Sequence[Tensor], part: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Scans and their weights, both [groups, items, scans of an item], of one part."""
        groups = _sizes(self.groups)[part]
        counts = _counts(groups * self.items, self.classes, self.imbalance if part == 0 else 1.0)
        if min(counts) < 1:
            raise BenchError(f"grouped: {groups} groups of {self.items} items leave a class without an example")
        layers = [_drawn(pools, counts, generator).view(groups, self.items) for _ in range(2 if self.soft else 1)]
        first = torch.ones(groups, self.items, dtype=torch.float64)
        if not self.soft:
            return layers[0][..., None], first[..., None]
        first -= torch.rand(groups, self.items, generator=generator, dtype=torch.float64) * (1 - self.least_share)
        return torch.stack(layers, -1), torch.stack([first, 1 - first], -1)


def _sizes(total: int) -> list[int]:
    """Number of the `total` that falls into each part."""
    held = [round(share * total) for share in SHARES[1:]]
    return [total - sum(held), *held]


def _parted(scans: Tensor, generator: Generator) -> Sequence[Tensor]:
    """The scans of one digit, shuffled and split into the three parts."""
    parts: Sequence[Tensor] = scans[torch.randperm(len(scans), generator=generator)].split(_sizes(len(scans)))
    return parts


def _counts(total: int, classes: int, imbalance: float) -> list[int]:
    """Number of examples of each class: the first `imbalance` times any other, the others equal."""
    other = round(total / (imbalance + classes - 1))
    return [total - other * (classes - 1), *[other] * (classes - 1)]


def _drawn(pools: Sequence[Tensor], counts: Sequence[int], generator: Generator) -> Tensor:
    """Scans of each class, `counts` of them, in random order; every scan of a class once before any is repeated."""
    scans = [_cycled(pool, count, generator) for pool, count in zip(pools, counts, strict=True)]
    return torch.cat(scans)[torch.randperm(sum(counts), generator=generator)]


def _cycled(pool: Tensor, count: int, generator: Generator) -> Tensor:
    rounds = [pool[torch.randperm(len(pool), generator=generator)] for _ in range(-(-count // len(pool)))]
    return torch.cat(rounds)[:count]


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Grouped]
