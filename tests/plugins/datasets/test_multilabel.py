"""The multi-label data sets: real scans that never cross the split, and scikit-learn's generator."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import pytest
import sklearn.datasets
import torch
from torch import Tensor

from harness import BenchError, Examples
from harness.discovery.registry import component


def load(seed: int = 0, **fields: Any) -> Examples:
    data: Examples = component("dataset", "multilabel", **fields).load(torch.Generator().manual_seed(seed))
    return data


@functools.cache
def scans() -> tuple[Tensor, Tensor]:
    """The 1,797 scans in sixteenths, whole numbers."""
    pixels, digits = sklearn.datasets.load_digits(return_X_y=True)
    return torch.from_numpy(pixels).long(), torch.from_numpy(digits).long()


def within(example: Tensor, digits: set[int]) -> list[int]:
    """Scans of some digits that are nowhere brighter than an example."""
    pixels, of = scans()
    fits = (pixels <= example).all(-1) & torch.isin(of, torch.tensor(sorted(digits)))
    return fits.nonzero()[:, 0].tolist()


def made_of(example: Tensor, digits: set[int]) -> list[set[int]]:
    """Every set of at most three scans, of just these digits, whose pixelwise maximum is the example."""
    pixels, of = scans()
    candidates = within(example, digits)
    return [
        set(some)
        for k in (1, 2, 3)
        for some in itertools.combinations(candidates, k)
        if set(of[list(some)].tolist()) == digits and torch.equal(pixels[list(some)].amax(0), example)
    ]


def test_the_table_is_whole() -> None:
    data = load()
    assert data.inputs.shape == (4000, 64) and data.targets.shape == (4000, 10)
    assert data.inputs.dtype == data.targets.dtype == torch.float32
    assert (data.task, data.classes) == ("multilabel", 10)
    assert set(data.targets.flatten().tolist()) == {0.0, 1.0}
    assert set(data.targets.sum(-1).tolist()) == {1.0, 2.0, 3.0}
    assert data.inputs.min() >= 0 and data.inputs.max() == 1


def test_every_example_is_made_of_real_scans_of_its_digits_and_no_scan_is_in_two_parts() -> None:
    data = load(examples=400)
    assert data.part is not None
    assert data.part.bincount().tolist() == [240, 80, 80]
    part_of: dict[int, set[int]] = {}
    for example, target, part in zip((data.inputs * 16).round().long(), data.targets, data.part.tolist(), strict=True):
        found = made_of(example, set(target.nonzero()[:, 0].tolist()))
        assert found, "no scans give this example"
        if len(found) == 1:  # a scan hidden behind the others cannot be told
            for scan in found[0]:
                part_of.setdefault(scan, set()).add(part)
    assert len(part_of) > 300
    assert all(len(parts) == 1 for parts in part_of.values())


def test_one_two_and_three_scans_are_equally_frequent() -> None:
    data = load(examples=20_000)
    counts = data.targets.sum(-1).long().bincount() / 20_000
    # Of two or three digits drawn with equal chances some are equal.
    expected = torch.tensor([0, 1 + 1 / 10 + 1 / 100, 9 / 10 + 27 / 100, 72 / 100]) / 3
    torch.testing.assert_close(counts, expected, rtol=0, atol=0.015)


def test_the_table_is_the_same_every_time() -> None:
    for source in ("digits", "generated"):
        first, again, other = (load(seed, source=source, examples=50) for seed in (0, 0, 1))
        assert torch.equal(first.inputs, again.inputs) and torch.equal(first.targets, again.targets)
        assert not torch.equal(first.inputs, other.inputs)


def test_the_generated_table_has_the_shape_asked_for() -> None:
    data = load(source="generated", examples=3000, labels=30, labels_per_example=4, features=12)
    assert data.inputs.shape == (3000, 12) and data.targets.shape == (3000, 30)
    assert data.inputs.dtype == data.targets.dtype == torch.float32
    assert (data.task, data.classes, data.part) == ("multilabel", 30, None)
    assert set(data.targets.flatten().tolist()) == {0.0, 1.0}
    assert data.targets.sum(-1).mean().item() == pytest.approx(4, abs=5 * 2 / 3000**0.5)
    assert torch.equal(data.inputs, data.inputs.round())
    assert data.inputs.std(0).min() > 0


def test_generated_columns_are_standardized_unless_told_not_to_and_pixels_never() -> None:
    assert load(source="generated", examples=50).standardize
    assert not load(source="generated", examples=50, standardize=False).standardize
    assert not load(examples=50).standardize


@pytest.mark.parametrize("source", ["digits", "generated"])
def test_noise_is_passed_on_and_the_table_is_left_alone(source: str) -> None:
    noisy = load(source=source, examples=50, label_noise=0.25)
    assert noisy.label_noise == 0.25
    assert torch.equal(noisy.targets, load(source=source, examples=50).targets)


@pytest.mark.parametrize(
    "fields",
    [{"label_noise": 1.1}, {"examples": 0}, {"labels": 1}, {"labels_per_example": 0}, {"source": "mnist"}],
    ids=str,
)
def test_fields_have_ranges(fields: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match=next(iter(fields))):
        component("dataset", "multilabel", **fields)
