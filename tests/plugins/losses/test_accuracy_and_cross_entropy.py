"""Identities of article 9098 and 7708: accuracy, F1, and the cross-entropies that stand for them."""

from __future__ import annotations

import numpy
import pytest
import torch
from torch import Tensor

from harness.discovery.registry import component


def draw(batch: int, classes: int) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(2)
    logits = 3 * torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(classes, (batch,), generator=g)


def slope(value: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(value.sum(), logits)[0]


@pytest.mark.parametrize("transform", ["softmax", "gaussian", "exponential"])
def test_the_gradient_of_smooth_accuracy_is_p_times_that_of_the_log(transform: str) -> None:
    logits, target = draw(9, 4)
    error = component("loss", "expected_error", transform=transform)(logits, target)
    log = component("loss", "nll", transform=transform)(logits, target)
    p = (1 - error).detach()[:, None]
    torch.testing.assert_close(slope(error, logits), p * slope(log, logits), rtol=1e-7, atol=1e-9)


def test_cross_entropy_is_smooth_accuracy_to_first_order_where_the_answer_is_right() -> None:
    target = torch.tensor([0])
    for gap in (5.0, 7.0, 9.0):
        logits = torch.tensor([[gap, 0.0]], dtype=torch.float64)
        log, error = (float(component("loss", name)(logits, target)) for name in ("cross_entropy", "expected_error"))
        assert 0 < log - error < error * error  # -log(1 - e) = e + e^2 / 2 + ...
    wrong = torch.tensor([[-50.0, 0.0]], dtype=torch.float64)
    assert float(component("loss", "cross_entropy")(wrong, target)) == pytest.approx(50)
    assert float(component("loss", "expected_error")(wrong, target)) <= 1


def test_the_weighted_cross_entropy_is_that_of_the_article() -> None:
    logits, target = draw(40, 2)
    p, y = logits.detach().softmax(-1)[:, 1].numpy(), target.numpy().astype(float)
    f1 = 2 * (y * p).sum() / (y + p).sum()
    expected = -(y * (1 - f1 / 2) * numpy.log(p) + (1 - y) * f1 / 2 * numpy.log(1 - p))
    found = component("loss", "f1_weighted_cross_entropy")(logits, target)
    numpy.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9)


def test_a_batch_without_a_positive_is_half_of_cross_entropy() -> None:
    logits, _ = draw(12, 2)
    target = torch.zeros(12, dtype=torch.int64)
    found = component("loss", "f1_weighted_cross_entropy")(logits, target)
    torch.testing.assert_close(found, component("loss", "cross_entropy")(logits, target) / 2)


def test_its_gradient_is_that_of_smooth_f1_with_logarithms_for_probabilities() -> None:
    logits, target = draw(40, 2)
    p, y = logits.softmax(-1)[:, 1], target.double()
    total = (y + p).sum().detach()
    negated = -2 * (y * p).sum() / (y + p).sum()
    chosen = torch.where(target == 1, p, 1 - p).detach()[:, None]
    found = slope(component("loss", "f1_weighted_cross_entropy")(logits, target), logits)
    torch.testing.assert_close(slope(negated, logits) * total / 2, chosen * found, rtol=1e-9, atol=1e-12)


def test_the_positive_class_can_be_another() -> None:
    logits, target = draw(12, 2)
    first = component("loss", "f1_weighted_cross_entropy", positive=0)(logits, target)
    swapped = component("loss", "f1_weighted_cross_entropy")(logits.flip(-1), 1 - target)
    torch.testing.assert_close(first, swapped)


def test_f1_of_a_class_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    logits, target = draw(60, 3)
    for positive in range(3):
        found = component("metric", "f1_of_class", positive=positive)(logits.detach(), target)
        answers = logits.detach().argmax(-1) == positive
        assert float(found) == pytest.approx(f1_score((target == positive).numpy(), answers.numpy()))


def test_one_digit_in_ten_is_positive() -> None:
    table = component("dataset", "one_digit", digit=3).load(torch.Generator())
    assert table.inputs.shape == (1797, 64)
    assert int(table.targets.sum()) == 183
