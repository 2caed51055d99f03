"""Decisions and rankings by the probabilities that a loss declares, against numpy and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import sklearn.metrics
import torch
from torch import Tensor

from harness import Loss, Subset, component
from harness.protocols.accuracy.scoring import Answers, score

EXAMPLES, CLASSES = 400, 4
DECIDING = ("accuracy", "balanced_accuracy", "f1_micro", "f1_macro", "subset_accuracy", "ece", "mean_average_precision")


def answers(loss: Loss, logits: Tensor, target: Tensor, task: str = "classes") -> Answers:
    part = Subset(torch.zeros(len(target), 1), torch.arange(len(target))[None], target[None])
    return Answers(logits, part, task, loss, (logits.clone(), target.clone()))


def value(name: str, loss: Loss, logits: Tensor, target: Tensor, task: str = "classes", **fields: Any) -> float:
    return score(name, component("metric", name, **fields), answers(loss, logits, target, task))


def drawn(seed: int = 0, scale: float = 3.0) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    target = torch.randint(CLASSES, (EXAMPLES,), generator=draw)
    logits = torch.randn(EXAMPLES, CLASSES, generator=draw)
    logits[torch.arange(EXAMPLES), target] += torch.randint(-1, 2, (EXAMPLES,), generator=draw) * scale
    return logits, target


def squares(logits: Tensor) -> Any:
    p = logits.double().numpy() ** 2 + 1e-6
    return p / p.sum(1, keepdims=True)


@pytest.mark.parametrize("name", ["nll", "brier", "expected_error", "exact"])
def test_spherical_probabilities_decide(name: str) -> None:
    logits, target = drawn()
    p, loss = squares(logits), component("loss", name, transform={"name": "spherical"})
    right = sklearn.metrics.accuracy_score(target.numpy(), p.argmax(1))
    assert abs(right - sklearn.metrics.accuracy_score(target.numpy(), logits.argmax(1).numpy())) > 0.05
    assert value("accuracy", loss, logits, target) == pytest.approx(right, abs=1e-12)
    assert value("subset_accuracy", loss, logits, target) == pytest.approx(right, abs=1e-12)
    assert value("f1_micro", loss, logits, target) == pytest.approx(right, abs=1e-6)
    assert value("balanced_accuracy", loss, logits, target) == pytest.approx(
        sklearn.metrics.balanced_accuracy_score(target.numpy(), p.argmax(1)), abs=1e-6
    )
    assert value("f1_macro", loss, logits, target) == pytest.approx(
        sklearn.metrics.f1_score(target.numpy(), p.argmax(1), average="macro"), abs=1e-6
    )
    one_hot = numpy.eye(CLASSES)[target.numpy()]
    assert value("mean_average_precision", loss, logits, target) == pytest.approx(
        sklearn.metrics.average_precision_score(one_hot, p), abs=1e-6
    )


def test_ece_counts_the_decision_of_the_probabilities() -> None:
    logits, target = drawn()
    p, bins = squares(logits), 15
    confidence, right = p.max(1), p.argmax(1) == target.numpy()
    place = numpy.ceil(confidence * bins)
    gaps = [abs((right[place == k] - confidence[place == k]).sum()) for k in range(bins + 1)]
    loss = component("loss", "nll", transform={"name": "spherical"})
    assert value("ece", loss, logits, target) == pytest.approx(sum(gaps) / EXAMPLES, abs=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "hinge", "focal", "nll", "brier", "expected_error", "scaled"])
@pytest.mark.parametrize("metric", [*DECIDING, "f1_tuned"])
def test_where_the_loss_declares_the_softmax_every_bit_is_that_of_the_logits(name: str, metric: str) -> None:
    logits, target = drawn(1)
    logits[:20] = logits[:20].round()  # with ties, which the first class wins
    loss = component("loss", name, **({"loss": {"name": "hinge"}} if name == "scaled" else {}))
    plain = component("metric", metric)
    given = {"probabilities": logits.softmax(-1)} if metric == "ece" else {"logits": logits}
    if metric == "f1_tuned":
        given |= {"validation_logits": logits, "validation_target": target}
    assert value(metric, loss, logits, target) == float(plain(target=target, **given).double().mean())


@pytest.mark.parametrize("transform", ["gaussian", "exponential", "sparsemax", "entmax", "student_t", "uniform"])
@pytest.mark.parametrize("scale", [0.01, 3.0, 100.0])
def test_a_monotone_transform_decides_like_the_logits(transform: str, scale: float) -> None:
    logits, target = drawn(2, scale)
    loss = component("loss", "nll", transform={"name": transform})
    by_logits = float((logits.argmax(1) == target).double().mean())
    assert value("accuracy", loss, logits, target) == pytest.approx(by_logits, abs=1e-12)


def test_logits_closer_than_their_probabilities_resolve_are_told_apart() -> None:
    logits = torch.tensor([[1e-9, 0.0], [0.0, 1e-9]])
    loss = component("loss", "scaled", loss={"name": "cross_entropy"}, temperature=2.0)
    assert torch.equal(*loss.log_probabilities(logits).unbind(-1))
    assert value("accuracy", loss, logits, torch.tensor([0, 1])) == 1.0


@pytest.mark.parametrize("metric", ["accuracy", "subset_accuracy", "f1_micro", "balanced_accuracy"])
def test_equal_probabilities_share_the_decision(metric: str) -> None:
    logits = torch.tensor([[2.0, -2.0, 0.0], [1.0, -1.0, 1.0], [-3.0, 0.0, 1.0]])
    loss = component("loss", "nll", transform={"name": "spherical"})
    assert value(metric, loss, logits, torch.tensor([1, 2, 0])) == pytest.approx((1 / 2 + 1 / 3 + 1) / 3, abs=1e-6)


class Steep(Loss):
    """Declares sigmoids that round to 1 where the logits still differ."""

    tasks = ("multilabel",)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:  # type: ignore[override]
        return (logits * target).sum(-1)

    def probabilities(self, logits: Tensor) -> Tensor:
        return (3 * logits).sigmoid()


@pytest.mark.parametrize("name", ["zlpr_soft", "steep", "scaled"])
@pytest.mark.parametrize("metric", ["mean_average_precision", "f1_micro", "f1_macro", "f1_tuned", "subset_accuracy"])
def test_labels_keep_the_ranking_of_the_logits_where_probabilities_saturate(name: str, metric: str) -> None:
    draw = torch.Generator().manual_seed(3)
    logits = 4 * torch.randn(100, 3, generator=draw)
    target = (logits + 4 * torch.randn(100, 3, generator=draw) > 0).float()
    scaled = component("loss", "scaled", loss={"name": "bce"}, temperature=0.5)
    loss = {"steep": Steep(), "scaled": scaled}.get(name) or component("loss", name)
    if name != "scaled":
        assert bool((loss.probabilities(logits) == 1).any())
    alone = component("loss", "bce")
    expected = value(metric, alone, logits, target, "multilabel")
    assert value(metric, loss, logits, target, "multilabel") == pytest.approx(expected, abs=1e-6)


def test_a_mixture_declares_what_both_its_losses_do() -> None:
    logits, target = drawn(4)
    spherical = {"transform": {"name": "spherical"}}
    both = component("loss", "mixture", first={"name": "nll", **spherical}, second={"name": "brier", **spherical})
    assert value("accuracy", both, logits, target) == value("accuracy", both.first, logits, target)
    mixed = component("loss", "mixture", first={"name": "cross_entropy"}, second={"name": "brier", **spherical})
    assert value("accuracy", mixed, logits, target) == float((logits.argmax(1) == target).double().mean())


def test_an_example_with_a_nan_logit_has_no_answer() -> None:
    logits, target = drawn(5)
    logits[7, 2] = torch.nan
    loss = component("loss", "nll", transform={"name": "spherical"})
    whole = component("metric", "accuracy")(logits, target, answers(loss, logits, target).scores)
    assert whole.isnan().nonzero().tolist() == [[7]]


def test_grouped_items_are_decided_one_by_one() -> None:
    logits, target = drawn(6)
    loss = component("loss", "nll", transform={"name": "spherical"})
    groups = answers(loss, logits.view(100, 4, CLASSES), target.view(100, 4), "grouped")
    assert score("accuracy", component("metric", "accuracy"), groups) == value("accuracy", loss, logits, target)
