"""The stock data sets: scikit-learn's own tables."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import sklearn.datasets
import torch

from harness import BenchError, Examples
from harness.artifacts import check
from harness.discovery.registry import component, components

TABLES = {"digits": (1797, 64, 10), "breast_cancer": (569, 30, 2), "wine": (178, 13, 3), "iris": (150, 4, 3)}
EVERY = pytest.mark.parametrize("name", TABLES)


def load(name: str, **fields: Any) -> Examples:
    data: Examples = component("dataset", name, **fields).load(torch.Generator())
    return data


@EVERY
def test_the_table_is_scikit_learns(name: str) -> None:
    data, (rows, columns, classes) = load(name), TABLES[name]
    original = getattr(sklearn.datasets, f"load_{name}")()
    check(data)
    assert (*data.inputs.shape, data.classes) == (rows, columns, classes)
    assert sorted(set(data.targets.tolist())) == list(range(classes))
    assert data.part is None
    scale = 16 if name == "digits" else 1
    numpy.testing.assert_allclose(data.inputs.numpy() * scale, original.data, rtol=1e-6)
    numpy.testing.assert_array_equal(data.targets, original.target)


def test_digits_lie_between_zero_and_one() -> None:
    inputs = load("digits").inputs
    assert (inputs.min().item(), inputs.max().item()) == (0.0, 1.0)


@EVERY
def test_noise_and_imbalance_are_passed_on_and_the_table_is_left_alone(name: str) -> None:
    data = load(name, label_noise=0.25, imbalance=10)
    assert (data.label_noise, data.imbalance) == (0.25, 10.0)
    assert torch.equal(data.targets, load(name).targets)


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris"])
def test_columns_in_units_of_their_own_are_standardised_unless_told_not_to(name: str) -> None:
    assert [load(name, **fields).standardize for fields in ({}, {"standardize": False})] == [True, False]


@EVERY
@pytest.mark.parametrize("fields", [{"label_noise": 1.1}, {"label_noise": -0.1}, {"imbalance": 0.5}], ids=str)
def test_noise_and_imbalance_have_ranges(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match=next(iter(fields))):
        components("dataset")[name](**fields)
