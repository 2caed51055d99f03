"""Metrics of groups and of soft labels, and balanced accuracy, against scikit-learn and scipy."""

from __future__ import annotations

import math
from typing import Any

import pytest
import scipy.stats
import sklearn.metrics
import torch
from torch import Tensor

from harness.discovery.registry import component

GROUPS, ITEMS, CLASSES = 7, 5, 4


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def soft() -> Tensor:
    """Distributions [groups, items, classes], some entries 0."""
    labels = draw(GROUPS, ITEMS, CLASSES, seed=1).sub(0.3).relu() + 0.1 * torch.eye(CLASSES)[0]
    return labels / labels.sum(-1, keepdim=True)


def measure(name: str, *tensors: Tensor) -> Any:
    return component("metric", name)(*tensors)


def test_accuracy_of_groups_is_one_number_for_each_item() -> None:
    logits, labels = draw(GROUPS, ITEMS, CLASSES), soft()
    hard = labels.argmax(-1)
    for target in (hard, labels):
        right = measure("accuracy", logits, target)
        assert right.shape == (GROUPS, ITEMS)
        by_scikit_learn = sklearn.metrics.accuracy_score(hard.flatten(), logits.argmax(-1).flatten())
        assert right.mean().item() == pytest.approx(by_scikit_learn)


def test_nll_of_a_soft_label_is_its_entropy_and_the_divergence_from_it() -> None:
    p, labels = draw(GROUPS, ITEMS, CLASSES).softmax(-1), soft()
    assert (labels == 0).any()
    entropy, divergence = scipy.stats.entropy(labels, axis=-1), scipy.stats.entropy(labels, p, axis=-1)
    torch.testing.assert_close(measure("nll", p.log(), labels), torch.from_numpy(entropy + divergence))
    torch.testing.assert_close(measure("nll", labels.log(), labels), torch.from_numpy(entropy))


def test_nll_of_a_class_number_is_that_of_its_one_hot_label() -> None:
    log_p, hard = draw(GROUPS, ITEMS, CLASSES).log_softmax(-1), soft().argmax(-1)
    one_hot = torch.nn.functional.one_hot(hard, CLASSES).double()
    torch.testing.assert_close(measure("nll", log_p, hard), measure("nll", log_p, one_hot))


@pytest.mark.parametrize("impossible", [0, 1])
def test_nll_is_infinite_only_where_a_part_of_the_label_is_impossible(impossible: int) -> None:
    log_p = torch.tensor([[0.5, 0.5, 0.0]]).roll(impossible, -1).log()
    assert measure("nll", log_p, torch.tensor([[0.25, 0.75, 0.0]])).isinf().tolist() == [bool(impossible)]


@pytest.mark.parametrize("present", [[0, 1, 2, 3], [1, 3]])
def test_balanced_accuracy_is_scikit_learns(present: list[int]) -> None:
    logits = draw(60, CLASSES)
    target = torch.tensor(present).repeat_interleave(60 // len(present))
    target[: 60 // len(present) - 2] = present[-1]
    # an answer that no example has is not one of its classes: scikit-learn warns of it and leaves it out
    logits[:, [k for k in range(CLASSES) if k not in present]] -= 100
    value = measure("balanced_accuracy", logits, target)
    assert value.shape == ()
    assert value.item() == pytest.approx(sklearn.metrics.balanced_accuracy_score(target, logits.argmax(-1)))
    assert abs(value.item() - measure("accuracy", logits, target).mean().item()) > 0.01


def test_balanced_accuracy_of_groups_is_that_of_their_items() -> None:
    logits, labels = draw(GROUPS, ITEMS, CLASSES), soft()
    expected = sklearn.metrics.balanced_accuracy_score(labels.argmax(-1).flatten(), logits.argmax(-1).flatten())
    for target in (labels, labels.argmax(-1)):
        assert measure("balanced_accuracy", logits, target).item() == pytest.approx(expected)


def test_balanced_accuracy_does_not_hide_what_is_not_a_number() -> None:
    logits = draw(6, CLASSES)
    logits[2, 1] = math.nan
    assert measure("balanced_accuracy", logits, torch.arange(6) % CLASSES).isnan()


def test_always_the_same_class_is_right_for_its_share_of_the_classes() -> None:
    target = torch.tensor([0] * 98 + [1, 2])
    logits = torch.eye(3)[0].expand(100, 3)
    assert measure("accuracy", logits, target).mean().item() == pytest.approx(0.98)
    assert measure("balanced_accuracy", logits, target).item() == pytest.approx(1 / 3)


def test_the_distance_of_a_label_is_the_largest_difference_of_a_probability() -> None:
    """Over all sets of classes, which is what total variation means."""
    p, labels = draw(GROUPS, ITEMS, CLASSES).softmax(-1), soft()
    sets = torch.tensor([[number >> k & 1 for k in range(CLASSES)] for number in range(2**CLASSES)]).double()
    expected = ((p - labels) @ sets.T).amax(-1)
    torch.testing.assert_close(measure("label_distance", p, labels), expected)
    assert not measure("label_distance", labels, labels).any()
    hard = labels.argmax(-1)
    one_hot = torch.nn.functional.one_hot(hard, CLASSES).double()
    torch.testing.assert_close(measure("label_distance", p, hard), measure("label_distance", p, one_hot))
    torch.testing.assert_close(measure("label_distance", p, hard), 1 - p.gather(-1, hard[..., None])[..., 0])
