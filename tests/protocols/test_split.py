"""The split of a table: who goes where, whose labels change, what the columns are measured by."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy
import pytest
import torch
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from harness.kinds.classification import Examples, Subset
from harness.protocols.accuracy.split import Split, split

COUNTS = (50, 31, 7, 4)
SEEDS = [0, 1, 7, 100, -1, -2]


def table(counts: tuple[int, ...] = COUNTS, **fields: Any) -> Examples:
    """A table with its classes shuffled; the first column is the number of the row."""
    draw = torch.Generator().manual_seed(1)
    targets = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    targets = targets[torch.randperm(len(targets), generator=draw)]
    inputs = torch.randn(len(targets), 3, generator=draw) * 5 + 2
    inputs[:, 0] = torch.arange(len(targets))
    return Examples(inputs=inputs, targets=targets, classes=len(counts), **fields)


def count(data: Examples, part: Subset, k: int) -> list[int]:
    """Examples of each class, by their true labels."""
    found = Counter(data.targets[part.index[k]].tolist())
    return [found[number] for number in range(data.classes)]


def sets(parts: Split, k: int) -> list[set[int]]:
    found = [set(part.index[k].tolist()) for part in parts]
    assert [len(rows) for rows in found] == [part.index.shape[1] for part in parts]
    return found


@pytest.mark.parametrize("counts", [COUNTS, (10, 10), (3, 3, 90), (178, 182, 177)])
def test_every_row_is_in_one_part_and_every_class_in_the_same_numbers(counts: tuple[int, ...]) -> None:
    data = table(counts)
    parts = split(data, SEEDS, "seed")
    fifth = [round(n / 5) for n in counts]
    for k in range(len(SEEDS)):
        train, validation, test = sets(parts, k)
        assert train | validation | test == set(range(sum(counts)))
        assert len(train) + len(validation) + len(test) == sum(counts)
        assert count(data, parts.test, k) == fifth
        assert count(data, parts.validation, k) == fifth
        assert count(data, parts.train, k) == [n - 2 * f for n, f in zip(counts, fifth, strict=True)]
    for part in parts:
        assert torch.equal(part.labels, data.targets[part.index])


def test_every_seed_draws_its_own_and_always_the_same() -> None:
    data = table()
    parts, again = split(data, SEEDS, "seed"), split(data, SEEDS[::-1], "seed")
    for part, other in zip(parts, again, strict=True):
        assert torch.equal(part.index, other.index.flip(0))
        assert len({tuple(sorted(rows.tolist())) for rows in part.index}) == len(SEEDS)


def test_every_row_is_tested_as_often_as_any_other() -> None:
    parts = split(table((100, 100)), range(2000), "seed")
    hits = torch.bincount(parts.test.index.flatten(), minlength=200).double()
    assert hits.mean() == 400
    assert hits.std() == pytest.approx((2000 * 0.2 * 0.8) ** 0.5, rel=0.15)


def test_a_fixed_split_is_that_of_seed_0_for_all_of_them() -> None:
    data = table(label_noise=0.3)
    fixed, free = split(data, SEEDS, "fixed"), split(data, [0], "seed")
    for part, own in zip(fixed, free, strict=True):
        assert torch.equal(part.index, own.index.expand(len(SEEDS), -1))
    assert len({tuple(labels.tolist()) for labels in fixed.train.labels}) == len(SEEDS)  # noise is each seed's own


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.25, 1.0])
@pytest.mark.parametrize("counts", [COUNTS, (40, 60)])
def test_an_exact_share_of_labels_is_another_class(noise: float, counts: tuple[int, ...]) -> None:
    data = table(counts, label_noise=noise)
    parts, clean = split(data, SEEDS, "seed"), split(table(counts), SEEDS, "seed")
    for part, own in zip(parts, clean, strict=True):
        assert torch.equal(part.index, own.index)
        changed = (part.labels != data.targets[part.index]).sum(1).tolist()
        expected = 0 if part is parts.test else round(noise * part.index.shape[1])
        assert changed == [expected] * len(SEEDS)
        assert int(part.labels.min()) >= 0
        assert int(part.labels.max()) < data.classes
    if 0 < noise < 1:
        moved = [tuple((row != data.targets[i]).nonzero()[:, 0].tolist()) for row, i in zip(parts.train.labels, parts.train.index, strict=True)]  # fmt: skip
        assert len(set(moved)) == len(SEEDS)


def test_wrong_labels_fall_on_all_other_classes_alike() -> None:
    data = table((400, 400, 400, 400), label_noise=1.0)
    parts = split(data, range(20), "seed")
    away = (parts.train.labels - data.targets[parts.train.index]) % 4
    shares = torch.bincount(away.flatten(), minlength=4) / away.numel()
    assert shares[0] == 0
    assert shares[1:].tolist() == pytest.approx([1 / 3] * 3, abs=0.015)


def test_the_noise_of_two_parts_of_one_size_is_not_the_same() -> None:
    part = torch.arange(300) % 3
    data = Examples(inputs=torch.zeros(300, 1), targets=torch.arange(300) % 2, classes=2, part=part, label_noise=0.5)
    train, validation, _ = split(data, [3], "seed")
    wrong = [(p.labels != data.targets[p.index])[0] for p in (train, validation)]
    assert int(wrong[0].sum()) == int(wrong[1].sum()) == 50
    assert not torch.equal(*wrong)


@pytest.mark.parametrize("counts", [(100, 100, 100, 100), (200, 100, 50, 60), (50, 60, 100, 200), (300, 40)])
@pytest.mark.parametrize("ratio", [1.5, 10.0])
def test_imbalance_is_the_largest_class_over_the_smallest(counts: tuple[int, ...], ratio: float) -> None:
    data, balanced = table(counts, imbalance=ratio), table(counts)
    parts, whole = split(data, SEEDS, "seed"), split(balanced, SEEDS, "seed")
    for k in range(len(SEEDS)):
        kept = count(data, parts.train, k)
        assert max(kept) == kept[0]
        assert min(kept) == kept[-1]
        ratios = numpy.array(kept[:-1]) / kept[1:]
        assert kept[0] / kept[-1] == pytest.approx(ratio, rel=0.6 / kept[-1])
        assert ratios == pytest.approx(ratio ** (1 / (len(counts) - 1)), rel=1.2 / kept[-1])
        before = count(balanced, whole.train, k)
        assert min(b - a for a, b in zip(kept, before, strict=True)) == 0  # no more is thrown away than needed
        assert sets(parts, k)[0] < sets(whole, k)[0]
        assert sets(parts, k)[1:] == sets(whole, k)[1:]


def test_no_class_is_thinned_out_of_existence() -> None:
    data = table((20, 20, 20), imbalance=1e6)
    assert count(data, split(data, [0], "seed").train, 0) == [12, 1, 1]


def test_without_imbalance_an_unbalanced_table_stays_as_it_is() -> None:
    data = table((40, 10), imbalance=1.0)
    assert count(data, split(data, [5], "seed").train, 0) == [24, 6]


@pytest.mark.parametrize("policy", ["seed", "fixed"])
def test_columns_are_measured_by_the_seeds_own_training_rows(policy: str) -> None:
    data = table(standardize=True, imbalance=3.0)
    inputs: Tensor = data.inputs
    inputs[:, 1] = 4.2  # constant
    parts = split(data, SEEDS, policy)
    exact = inputs.double().numpy()
    for k in range(len(SEEDS)):
        rows = exact[parts.train.index[k].numpy()]
        scale = numpy.where(rows.std(0) < 1e-9, 1.0, rows.std(0))
        for part in parts:
            expected = (exact[part.index[k].numpy()] - rows.mean(0)) / scale
            places = torch.arange(part.index.shape[1]).expand(len(SEEDS), -1)
            numpy.testing.assert_allclose(part.inputs_at(places)[k].numpy(), expected, atol=1e-5)
            alone = Subset(part.table, part.index[k : k + 1], part.labels[k : k + 1], part.shift[k : k + 1], part.scale[k : k + 1])  # type: ignore[index]  # fmt: skip
            numpy.testing.assert_allclose(alone.inputs.numpy(), expected, atol=1e-5)
            assert torch.equal(alone.targets, part.labels[k])
    assert torch.equal(data.inputs, inputs)
    assert len({tuple(row.tolist()) for row in parts.train.shift}) == (1 if policy == "fixed" else len(SEEDS))  # type: ignore[union-attr]


def test_reading_rows_leaves_the_table_alone() -> None:
    data = table(standardize=True)
    before = data.inputs.clone()
    part = split(data, [0, 1], "seed").train
    places = torch.tensor([[3, 1], [0, 0]])
    first = part.inputs_at(places)
    assert torch.equal(part.inputs_at(places), first)
    assert torch.equal(data.inputs, before)


def test_a_table_that_brings_its_parts_keeps_them() -> None:
    counts = (30, 30)
    part = torch.randint(0, 3, (60,), generator=torch.Generator().manual_seed(0))
    data = table(counts, part=part, label_noise=0.2, imbalance=2.0)
    parts = split(data, SEEDS, "seed")
    for k in range(len(SEEDS)):
        train, validation, test = sets(parts, k)
        assert validation == set((part == 1).nonzero()[:, 0].tolist())
        assert test == set((part == 2).nonzero()[:, 0].tolist())
        assert train < set((part == 0).nonzero()[:, 0].tolist())
        kept = count(data, parts.train, k)
        assert kept[0] / kept[1] == pytest.approx(2, rel=0.6 / kept[1])
        assert int((parts.train.labels[k] != data.targets[parts.train.index[k]]).sum()) == round(0.2 * sum(kept))
    assert torch.equal(parts.test.labels, data.targets[parts.test.index])
    assert len({tuple(sorted(rows.tolist())) for rows in parts.train.index}) > 1  # what is thinned is each seed's own


def gappy(**fields: Any) -> Examples:
    """A table with missing values in two columns, and columns that say little or nothing in some training parts."""
    data = table(missing=True, **fields)
    draw = torch.Generator().manual_seed(2)
    inputs = torch.cat([data.inputs, torch.randn(len(data.inputs), 3, generator=draw) * 7 - 30], 1)
    inputs[torch.rand(len(inputs), generator=draw) < 0.3, 1] = torch.nan
    inputs[1:, 3] = torch.nan  # one value
    inputs[:, 4] = (torch.arange(len(inputs)) == 5).float() * 1e6  # constant but in one row
    return dataclasses.replace(data, inputs=inputs)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("policy", ["seed", "fixed"])
def test_missing_values_are_the_mean_of_the_seeds_own_training_rows(policy: str, standardize: bool) -> None:
    data = gappy(standardize=standardize, imbalance=2.0)
    parts = split(data, SEEDS, policy)
    exact = data.inputs.double().numpy()
    for k in range(len(SEEDS)):
        train = exact[parts.train.index[k].numpy()]
        fill = SimpleImputer(keep_empty_features=True).fit(train)
        scaler = StandardScaler(with_mean=standardize, with_std=standardize).fit(fill.transform(train))
        for part in parts:
            made = scaler.transform(fill.transform(exact[part.index[k].numpy()]))
            made[:, numpy.ptp(fill.transform(train), axis=0) == 0] *= not standardize
            places = torch.arange(part.index.shape[1]).expand(len(SEEDS), -1)
            numpy.testing.assert_allclose(part.inputs_at(places)[k].numpy(), made, rtol=1e-4, atol=1e-4)
            assert torch.equal(part.for_seed(k).inputs, part.inputs_at(places)[k])
            assert torch.equal(part.for_seed(k).inputs_at(places[:1])[0], part.inputs_at(places)[k])
    assert data.inputs.isnan().any()  # the table is left alone


@pytest.mark.parametrize("standardize", [True, False])
def test_rows_outside_the_training_part_change_nothing_in_it(standardize: bool) -> None:
    data = gappy(standardize=standardize)
    parts = split(data, [3], "seed")
    other = data.inputs.clone()
    rows = torch.cat([parts.validation.index[0], parts.test.index[0]])
    other[rows] = other[rows] * -100 + 7
    other[rows[::2], 1] = torch.nan
    other[rows[1::2], 1] = 1e9
    again = split(dataclasses.replace(data, inputs=other), [3], "seed")
    assert torch.equal(parts.train.inputs, again.train.inputs)
    assert not torch.equal(parts.test.inputs, again.test.inputs)


def test_a_column_that_is_constant_in_training_is_0_everywhere() -> None:
    data = gappy(standardize=True)
    for seed in range(20):
        parts = split(data, [seed], "seed")
        if 5 not in parts.train.index[0]:
            assert all(not part.inputs[:, 4].any() for part in parts)
            return
    raise AssertionError("row 5 is always in training")


def test_items_of_groups_may_miss_values_too() -> None:
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(30, 4, 2, generator=draw)
    inputs[torch.rand(30, 4, 2, generator=draw) < 0.2] = torch.nan
    data = Examples(
        inputs, torch.arange(30)[:, None] % torch.tensor([2, 2, 2, 2]), 2, "grouped", standardize=True, missing=True
    )
    parts = split(data, [0, 1], "seed")
    for k in range(2):
        train = parts.train.for_seed(k).inputs.flatten(0, 1).double()
        assert not train.isnan().any() and train.mean(0).abs().max() < 1e-6
        assert torch.allclose(train.std(0, correction=0), torch.ones(2, dtype=torch.float64), atol=1e-5)
        places = torch.arange(parts.test.index.shape[1]).expand(2, -1)
        assert torch.equal(parts.test.inputs_at(places)[k], parts.test.for_seed(k).inputs)
