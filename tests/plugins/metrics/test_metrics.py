"""The stock metrics against scikit-learn and loops over examples."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest
import sklearn.metrics
import torch
from torch import Tensor

from harness import call_with_inputs
from harness.discovery.registry import component, components

SIZES = pytest.mark.parametrize("classes", [2, 3, 10])


def draw(n: int, classes: int, seed: int = 0, scale: float = 2.0) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(n, classes, generator=g, dtype=torch.float64)
    target = torch.cat([torch.arange(classes), torch.randint(classes, (n - classes,), generator=g)])
    return offering(logits, target)


def offering(logits: Tensor, target: Tensor) -> dict[str, Tensor]:
    p, log_p = logits.softmax(-1), logits.log_softmax(-1)
    return {"logits": logits, "probabilities": p, "log_probabilities": log_p, "target": target}


def measure(name: str, offered: dict[str, Tensor], **fields: Any) -> Tensor:
    result: Tensor = call_with_inputs(component("metric", name, **fields), **offered)
    return result


@SIZES
def test_accuracy_and_nll_average_to_scikit_learns(classes: int) -> None:
    offered = draw(50, classes)
    target, p = offered["target"].numpy(), offered["probabilities"].numpy()
    assert measure("accuracy", offered).mean().item() == pytest.approx(
        sklearn.metrics.accuracy_score(target, p.argmax(1))
    )
    assert measure("nll", offered).mean().item() == pytest.approx(sklearn.metrics.log_loss(target, p))


@SIZES
def test_brier_averages_to_scikit_learns(classes: int) -> None:
    offered = draw(50, classes)
    expected = numpy.mean(
        [
            sum((q - (j == y)) ** 2 for j, q in enumerate(row))
            for row, y in zip(offered["probabilities"].tolist(), offered["target"].tolist(), strict=True)
        ]
    )
    assert measure("brier", offered).mean().item() == pytest.approx(expected)
    if classes == 2:
        one_column = sklearn.metrics.brier_score_loss(offered["target"].numpy(), offered["probabilities"][:, 1].numpy())
        assert expected == pytest.approx(2 * one_column)


def ece_by_hand(p: Any, target: Any, bins: int) -> float:
    total = 0.0
    confidence, right = p.max(1), p.argmax(1) == target
    for k in range(bins):
        inside = (confidence > k / bins) & (confidence <= (k + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


@SIZES
@pytest.mark.parametrize("bins", [1, 5, 15])
def test_ece_is_the_weighted_gap_of_the_bins(classes: int, bins: int) -> None:
    offered = draw(200, classes)
    expected = ece_by_hand(offered["probabilities"].numpy(), offered["target"].numpy(), bins)
    value = measure("ece", offered, bins=bins)
    assert value.shape == ()
    assert value.item() == pytest.approx(expected)
    assert expected > 0.01


def test_ece_has_fifteen_bins_by_default() -> None:
    offered = draw(200, 3)
    expected = ece_by_hand(offered["probabilities"].numpy(), offered["target"].numpy(), 15)
    assert measure("ece", offered).item() == pytest.approx(expected)


def test_the_bins_of_ece_are_closed_above() -> None:
    edge = 9 / 15  # belongs to the ninth bin, with 0.59; the tenth would keep the two gaps apart
    p = torch.tensor([[edge, 1 - edge], [0.59, 0.41]], dtype=torch.float64)
    offered = {"probabilities": p, "target": torch.tensor([0, 1])}
    assert measure("ece", offered).item() == pytest.approx(abs((1 - edge) - 0.59) / 2)


def test_ece_of_a_calibrated_model_shrinks_with_the_examples() -> None:
    g = torch.Generator().manual_seed(1)
    found = []
    for n in (100, 100_000):
        p = torch.softmax(torch.randn(n, 2, generator=g), -1)
        target = (torch.rand(n, generator=g) < p[:, 1]).long()
        found.append(measure("ece", {"probabilities": p, "target": target}).item())
    assert found[0] > 0.03
    assert found[1] < 0.01


def test_the_first_class_wins_a_tie() -> None:
    offered = {"logits": torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]), "target": torch.tensor([0, 1])}
    assert measure("accuracy", offered).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", ["accuracy", "nll", "brier", "ece"])
def test_a_logit_that_is_not_a_number_is_not_hidden(name: str) -> None:
    offered = draw(6, 3)
    offered["logits"][2, 1] = math.nan
    value = measure(name, offering(offered["logits"], offered["target"]))
    assert value.isnan().tolist() == (True if name == "ece" else [k == 2 for k in range(6)])


def test_nll_is_finite_where_the_probability_underflows() -> None:
    offered = {"log_probabilities": torch.tensor([[1e4, 0.0]]).log_softmax(-1), "target": torch.tensor([1])}
    assert measure("nll", offered).tolist() == [1e4]


@pytest.mark.parametrize("name", ["accuracy", "nll", "brier", "ece"])
def test_a_metric_can_be_mapped_over_seeds(name: str) -> None:
    runs = [draw(40, 3, seed) for seed in range(3)]
    stacked = {key: torch.stack([run[key] for run in runs]) for key in runs[0]}
    mapped = torch.func.vmap(lambda offered: measure(name, offered))(stacked)
    torch.testing.assert_close(mapped, torch.stack([measure(name, run) for run in runs]))


@pytest.mark.parametrize("name", ["accuracy", "nll", "brier", "ece"])
def test_the_declared_direction_is_the_true_one(name: str) -> None:
    offered = draw(60, 3)
    good = offering(4 * torch.eye(3, dtype=torch.float64)[offered["target"]], offered["target"])
    lead = measure(name, good).mean() - measure(name, offered).mean()
    assert components("metric")[name].higher_is_better == (lead > 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("loss", ["cross_entropy", "expected_error"])
def test_the_gradient_on_wrong_examples_is_that_of_the_closed_forms(loss: str) -> None:
    """The gradient of -log p has the 1-norm 2 (1 - p), and that of 1 - p has p times as much."""
    offered = draw(60, 4)
    p = offered["probabilities"].gather(-1, offered["target"][:, None])[:, 0]
    sizes = (1 - p) * (1 if loss == "cross_entropy" else p)
    wrong = offered["logits"].argmax(-1) != offered["target"]
    share = measure("gradient_share", offered, loss=component("loss", loss))
    assert share.item() == pytest.approx((sizes[wrong].sum() / sizes.sum()).item())
