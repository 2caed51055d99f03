"""The split of a table by seeds: stratified, with the same number of examples of each class for every seed.

Tables of many labels or of groups have no classes to stratify by: they are split at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from harness.kinds.classification import Examples, Subset
from harness.random import generator

VALIDATION = 0.2
TEST = 0.2


class Split(NamedTuple):
    """The three parts, each with one row per seed."""

    train: Subset
    validation: Subset
    test: Subset


def split(data: Examples, seeds: Sequence[int], policy: str) -> Split:
    """Split a table for each seed. `policy` is `seed` (every seed draws its own) or `fixed` (all use seed 0's).

    Label noise replaces an exact share of the training and validation labels; imbalance thins the training part; the
    test part is unchanged.
    """
    drawn = [_draw(data, 0 if policy == "fixed" else seed) for seed in seeds]
    index = [torch.stack(rows) for rows in zip(*drawn, strict=True)]
    noisy = [_noisy(data, part, seeds, name) for part, name in zip(index, ("train", "validation"), strict=False)]
    labels = [*noisy, data.targets[index[2]]]
    shift, scale, fill = _columns(data, index[0])
    return Split(*(Subset(data.inputs, i, y, shift, scale, fill) for i, y in zip(index, labels, strict=True)))


def _draw(data: Examples, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows of the training, validation and test parts."""
    draw = generator(seed, "split")
    if data.task != "classes":
        train, validation, test = _of_class(data, torch.arange(len(data.targets)), draw)
        return train, validation, test
    chosen = [_of_class(data, (data.targets == number).nonzero()[:, 0], draw) for number in range(data.classes)]
    for rows, keep in zip(chosen, _kept([len(rows[0]) for rows in chosen], data.imbalance), strict=True):
        rows[0] = rows[0][:keep]
    train, validation, test = (torch.cat(part) for part in zip(*chosen, strict=True))
    return train, validation, test


def _kept(counts: Sequence[int], imbalance: float) -> list[int]:
    """Return the number of training examples to keep of each class for the requested ratios; all if there are none."""
    if imbalance == 1 or len(counts) < 2:
        return list(counts)
    shares = [imbalance ** (-number / (len(counts) - 1)) for number in range(len(counts))]
    first = min(count / share for count, share in zip(counts, shares, strict=True) if count)
    return [max(1, round(first * share)) for share in shares]


def _of_class(data: Examples, rows: Tensor, draw: torch.Generator) -> list[Tensor]:
    rows = rows[torch.randperm(len(rows), generator=draw)]
    if data.part is not None:
        return [rows[data.part[rows] == place] for place in range(3)]
    test, validation = round(TEST * len(rows)), round(VALIDATION * len(rows))
    return [rows[test + validation :], rows[test : test + validation], rows[:test]]


def _noisy(data: Examples, index: Tensor, seeds: Sequence[int], part: str) -> Tensor:
    """Return a part's labels, an exact share of them moved to another class or flipped, by each seed's own stream."""
    labels = data.targets[index].clone()
    for row, seed in zip(labels.flatten(1), seeds, strict=True):
        draw = generator(seed, "label_noise", part)
        changed = round(data.label_noise * len(row))
        where = torch.randperm(len(row), generator=draw)[:changed]
        if row.is_floating_point():
            row[where] = 1 - row[where]
            continue
        away = torch.randint(1, data.classes, (changed,), generator=draw) if changed else where
        row[where] = (row[where] + away) % data.classes
    return labels


def _columns(data: Examples, train: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Return shift, scale and fill of the columns, one row per seed: mean, inverse deviation, mean of known values.

    They are measured on each seed's training rows alone, shift and scale after missing values are filled. A column
    without known values there is filled with 0, and the scale of one that is constant there is 0.
    """
    if not data.standardize and not data.missing:
        return None, None, None
    # A seed at a time: the rows in float64 take twice the memory of the table.
    found = [_of_rows(data.inputs[index].double().flatten(0, -1 - len(data.input_shape)), data) for index in train]
    shift, scale, fill = (torch.stack(each).float() for each in zip(*found, strict=True))
    measured = (shift, scale) if data.standardize else (None, None)
    return *measured, fill if data.missing else None


def _of_rows(rows: Tensor, data: Examples) -> tuple[Tensor, Tensor, Tensor]:
    """Return shift, scale and fill of one seed's training rows [m, ...], 1 along dimensions that share a column."""
    shared = (0, *range(2, rows.ndim)) if rows.ndim > 3 else (0,)  # a channel of images is one column
    fill = rows.new_zeros(())
    if data.missing:
        fill = rows.nanmean(shared, keepdim=True).nan_to_num()
        rows = rows.where(~rows.isnan(), fill)
    shift = rows.mean(shared, keepdim=True)
    deviation = rows.std(shared, unbiased=False, keepdim=True)
    scale = torch.where(deviation > 1e-12 * shift.abs().clamp(min=1e-300), 1 / deviation, 0.0)
    return shift[0], scale[0], fill[0] if data.missing else fill
