"""The group with given labels, and what each loss's minimizer gives back of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness import BenchError, Examples
from harness.artifacts import check
from harness.discovery.registry import component


def load(**fields: Any) -> Examples:
    data: Examples = component("dataset", "label_table", **fields).load(torch.Generator())
    return data


def test_the_labels_are_those_given_and_every_item_has_an_input_of_its_own() -> None:
    labels = ((0.5, 0.3, 0.2), (1.0, 0.0, 0.0))
    data = load(labels=labels)
    check(data)
    assert data.part is not None and data.part.tolist() == [0, 1, 2] and (data.task, data.classes) == ("grouped", 3)
    for inputs, targets in zip(data.inputs, data.targets, strict=True):
        assert torch.equal(inputs, torch.eye(2)) and torch.equal(targets, torch.tensor(labels))


@pytest.mark.parametrize(
    ("labels", "message"),
    [([[0.5, 0.5], [1.0]], "one length"), ([[1.0]], "two classes"), ([[0.5, 0.4]], "sum to 1"), ([[1.5, -0.5]], "0")],
    ids=str,
)
def test_what_is_no_distribution_is_an_error(labels: list[list[float]], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        load(labels=labels)
