"""The split of a table by seeds: stratified, with the same number of examples of each class for every seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.kinds import Data, Part
from harness.streams import generator

VALIDATION = 0.2
TEST = 0.2


class Split(NamedTuple):
    """The three parts, each with one row a seed."""

    train: Part
    validation: Part
    test: Part


def split(data: Data, seeds: Sequence[int], policy: str) -> Split:
    """Split a table for each seed. `policy` is `seed` (every seed draws its own) or `fixed` (all take seed 0's).

    Label noise replaces an exact share of the training and validation labels; imbalance thins the training part; the
    test part is never touched.
    """
    drawn = [_draw(data, 0 if policy == "fixed" else seed) for seed in seeds]
    index = [torch.stack(rows) for rows in zip(*drawn, strict=True)]
    labels = [_noisy(data, part, seeds) if place < 2 else data.targets[part] for place, part in enumerate(index)]
    shift, scale = _standard(data, index[0])
    return Split(*(Part(data.inputs, i, y, shift, scale) for i, y in zip(index, labels, strict=True)))


def _draw(data: Data, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of the training, validation and test parts."""
    draw = generator(seed, "split")
    parts: tuple[list[Tensor], ...] = ([], [], [])
    for number in range(data.classes):
        rows = (data.targets == number).nonzero()[:, 0]
        chosen = _of_class(data, rows, draw)
        keep = round(len(chosen[0]) * data.imbalance ** (-number / max(1, data.classes - 1)))
        chosen[0] = chosen[0][: max(1, keep)]
        for part, some in zip(parts, chosen, strict=True):
            part.append(some)
    train, validation, test = (torch.cat(part) for part in parts)
    return train, validation, test


def _of_class(data: Data, rows: Tensor, draw: torch.Generator) -> list[Tensor]:
    rows = rows[torch.randperm(len(rows), generator=draw)]
    if data.part is not None:
        return [rows[data.part[rows] == place] for place in range(3)]
    test, validation = round(TEST * len(rows)), round(VALIDATION * len(rows))
    return [rows[test + validation :], rows[test : test + validation], rows[:test]]


def _noisy(data: Data, index: Tensor, seeds: Sequence[int]) -> Tensor:
    """The labels of a part, with an exact share of them moved to another class, drawn from each seed's own stream."""
    labels = data.targets[index].clone()
    changed = round(data.label_noise * labels.shape[1])
    for row, seed in zip(labels, seeds, strict=True):
        draw = generator(seed, "label_noise", labels.shape[1])
        where = torch.randperm(len(row), generator=draw)[:changed]
        away = torch.randint(1, data.classes, (changed,), generator=draw) if changed else where
        row[where] = (row[where] + away) % data.classes
    return labels


def _standard(data: Data, train: Tensor) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Shift and scale [seeds, d]: mean, inverse deviation of the training rows; a constant column is only shifted."""
    if not data.standardize:
        return None, None
    rows = [data.inputs[index].double() for index in train]
    shift = torch.stack([row.mean(0) for row in rows])
    deviation = torch.stack([row.std(0, unbiased=False) for row in rows])
    scale = torch.where(deviation > 1e-12 * shift.abs().clamp(min=1e-300), 1 / deviation, 1.0)
    return shift.float(), scale.float()
