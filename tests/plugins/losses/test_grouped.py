"""The losses on groups of items against loops over the formulas, published values, and a multi-label loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from tests.plugins.groups import EVERY, KINDS, draw, make, minimized


def group(logits: Sequence[Sequence[float]], target: Sequence[int]) -> tuple[Tensor, Tensor]:
    return torch.tensor([logits], dtype=torch.float64), torch.tensor([target])


def by_hand(name: str, s: Any, t: Any) -> float:
    """One group: s and t [items, classes]."""
    items, classes = s.shape
    p = numpy.exp(s) / numpy.exp(s).sum(1, keepdims=True)
    if name == "grouped_cross_entropy":
        return float(-(t * numpy.log(p)).sum())
    if name == "grouped_balanced":
        return float(sum(-(t[:, j] @ numpy.log(p[:, j])) / t[:, j].sum() for j in range(classes) if t[:, j].any()))
    total = 0.0
    for j in range(classes):
        inside = 1.0
        for i in range(items):
            if name == "grouped_truncated":
                inside += t[i, j] * sum(math.exp(s[i, k] - s[i, j]) for k in range(classes) if k != j)
            elif name == "grouped_soft":
                inside += t[i, j] * math.exp(s[i].mean() - s[i, j])
            else:
                divergence = sum(t[i, k] * math.log(t[i, k] / p[i, k]) for k in range(classes) if t[i, k] > 0)
                inside += t[i, j] * (math.exp(divergence) - 1)
        total += math.log(inside)
    return total


def zlpr(s: Any, y: Any) -> float:
    """The multi-label loss of log-balanced classes (Su et al., 2022), naively."""
    return math.log(1 + numpy.exp(s[y == 0]).sum()) + math.log(1 + numpy.exp(-s[y == 1]).sum())


@EVERY
@KINDS
@pytest.mark.parametrize(("items", "classes"), [(1, 2), (1, 5), (7, 2), (5, 4), (40, 10)])
def test_a_group_is_the_formula_written_out(name: str, soft: bool, items: int, classes: int) -> None:
    logits, target = draw(4, items, classes, soft)
    t = target.numpy() if soft else numpy.eye(classes)[target.numpy()]
    expected = [by_hand(name, s, some) for s, some in zip(logits.numpy(), t, strict=True)]
    torch.testing.assert_close(make(name)(logits, target), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("name", ["grouped_truncated", "grouped_kl"])
def test_the_value_published_for_three_items(name: str) -> None:
    logits, target = group([[1, 0, -1], [0, 2, 0], [0.5, 0, 0]], [0, 1, 0])
    assert make(name)(logits, target).item() == pytest.approx(1.2388066069, abs=1e-10)
    assert make("grouped_cross_entropy")(logits, target).item() == pytest.approx(1.4415275001, abs=1e-10)


def test_far_above_the_mean_is_enough_for_the_soft_form_with_a_wrong_answer() -> None:
    logits, target = group([[10, 11, -21]], [0])
    assert make("grouped_soft")(logits, target).item() == pytest.approx(4.54e-5, rel=1e-3)
    assert make("grouped_truncated")(logits, target).item() == pytest.approx(1.3132617, abs=1e-7)


@pytest.mark.parametrize(
    ("name", "pull"),
    [
        ("grouped_truncated", lambda count: 4 * count / (1 + 2 * count)),
        ("grouped_kl", lambda count: 4 * count / (1 + 2 * count)),
        ("grouped_cross_entropy", lambda count: 4 * count / 3),
    ],
)
def test_a_class_pulls_as_the_logarithm_of_its_items(name: str, pull: Any) -> None:
    """At equal logits of three classes an item of A pulls its own logit by 2 / (1 + 2 n), each other one by half."""
    target = torch.tensor([[0] * 98 + [1, 2]])
    logits = torch.zeros(1, 100, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(make(name)(logits, target).sum(), logits)
    pulls = [gradient[target == number].abs().sum().item() for number in range(3)]
    assert pulls == pytest.approx([pull(98), pull(1), pull(1)], rel=1e-12)
    published = [130.7, 1.33, 1.33] if name == "grouped_cross_entropy" else [1.99, 1.33, 1.33]
    assert pulls == pytest.approx(published, abs=0.04)


def test_equal_weights_give_every_class_the_same_pull() -> None:
    target = torch.tensor([[0] * 98 + [1, 2]])
    logits = torch.zeros(1, 100, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(make("grouped_balanced")(logits, target).sum(), logits)
    assert [gradient[target == number].abs().sum().item() for number in range(3)] == pytest.approx([4 / 3] * 3)


@pytest.mark.parametrize(("name", "scale"), [("grouped_truncated", 1), ("grouped_kl", 1), ("grouped_soft", 0.5)])
def test_two_classes_are_a_multi_label_problem(name: str, scale: float) -> None:
    logits, target = draw(6, 9, 2)
    gaps = (logits[..., 1] - logits[..., 0]).numpy() * scale
    expected = [zlpr(s, y) for s, y in zip(gaps, target.numpy(), strict=True)]
    torch.testing.assert_close(make(name)(logits, target), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "value"), [("grouped_truncated", 4.1591158), ("grouped_kl", 4.1591158), ("grouped_soft", 2.8278168)]
)
def test_the_value_published_for_two_classes(name: str, value: float) -> None:
    logits, target = group([[0, 2], [0, -1], [0, 0.5], [0, -3]], [1, 0, 0, 1])
    assert make(name)(logits, target).item() == pytest.approx(value, abs=1e-7)


def test_hard_labels_cannot_tell_truncated_from_kl() -> None:
    logits, target = draw(5, 12, 6)
    as_soft = torch.nn.functional.one_hot(target, 6).double()
    for y in (target, as_soft):
        torch.testing.assert_close(make("grouped_truncated")(logits, y), make("grouped_kl")(logits, y))


def test_the_optimum_of_the_truncated_form_is_not_the_soft_label() -> None:
    target = torch.tensor([[[0.5, 0.3, 0.2]]], dtype=torch.float64)
    published = torch.tensor([[[0.40439958, 0.32359961, 0.27200082]]], dtype=torch.float64)
    torch.testing.assert_close(minimized("grouped_truncated", target), published, atol=2e-8, rtol=0)


@pytest.mark.parametrize("name", ["grouped_soft", "grouped_kl", "grouped_cross_entropy"])
@pytest.mark.parametrize("items", [1, 4])
def test_the_optimum_of_the_others_is_the_soft_label(name: str, items: int) -> None:
    _, target = draw(1, items, 3, soft=True)
    torch.testing.assert_close(minimized(name, target), target, atol=1e-6, rtol=0)


def test_kl_is_zero_at_the_soft_label_and_nowhere_near_it() -> None:
    _, target = draw(2, 4, 3, soft=True)
    here = target.log().requires_grad_()
    value = make("grouped_kl")(here, target)
    (gradient,) = torch.autograd.grad(value.sum(), here)
    assert value.abs().max() < 1e-14 and gradient.abs().max() < 1e-14
    moved = here.detach().clone()
    moved[:, 0, 0] += 0.1
    assert (make("grouped_kl")(moved, target) > 1e-5).all()
