"""The multi-label metrics against scikit-learn, loops over pairs and every threshold tried."""

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

AVERAGES = pytest.mark.parametrize("average", ["micro", "macro"])
NAMES = {
    "mean_average_precision": {},
    "f1_micro": {},
    "f1_macro": {},
    "f1_tuned": {},
    "f1_tuned_macro": {"average": "macro"},
    "subset_accuracy": {},
    "multilabel_ece": {},
}
EVERY = pytest.mark.parametrize("name", NAMES)


def draw(n: int = 60, labels: int = 5, seed: int = 0, ties: bool = False) -> dict[str, Tensor]:
    """Logits that know something of the targets, on two parts; every label has a positive in both."""
    g = torch.Generator().manual_seed(seed)
    offered: dict[str, Tensor] = {}
    for part in ("", "validation_"):
        target = (torch.rand(n, labels, generator=g) < 0.3).float()
        target[0] = 1
        logits = 2 * torch.randn(n, labels, generator=g, dtype=torch.float64) + 1.5 * target - 0.5
        offered |= {f"{part}logits": logits.round() if ties else logits, f"{part}target": target}
    return offered | {"probabilities": offered["logits"].sigmoid()}


def measure(name: str, offered: dict[str, Tensor], **fields: Any) -> Tensor:
    made = component("metric", name.removesuffix("_macro") if "tuned" in name else name, **{**NAMES[name], **fields})
    result: Tensor = call_with_inputs(made, **offered)
    return result


def arrays(offered: dict[str, Tensor], part: str = "") -> tuple[Any, Any]:
    return offered[f"{part}target"].numpy().astype(int), offered[f"{part}logits"].numpy()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [1, 2, 60])
def test_map_is_scikit_learns(ties: bool, n: int) -> None:
    offered = draw(n, ties=ties)
    value = measure("mean_average_precision", offered)
    assert value.shape == ()
    assert value.item() == pytest.approx(sklearn.metrics.average_precision_score(*arrays(offered), average="macro"))


def test_map_leaves_out_labels_without_a_positive() -> None:
    offered = draw()
    offered["target"][:, [0, 3]] = 0
    target, logits = arrays(offered)
    expected = [sklearn.metrics.average_precision_score(target[:, k], logits[:, k]) for k in (1, 2, 4)]
    assert measure("mean_average_precision", offered).item() == pytest.approx(numpy.mean(expected))
    offered["target"][:] = 0
    assert measure("mean_average_precision", offered).isnan()


def test_map_of_equal_logits_is_the_share_of_positives() -> None:
    offered = draw()
    offered["logits"][:] = -torch.inf
    assert measure("mean_average_precision", offered).item() == pytest.approx(offered["target"].mean(0).mean().item())


@AVERAGES
@pytest.mark.parametrize("threshold", [0.0, 0.75])
def test_f1_is_scikit_learns(average: str, threshold: float) -> None:
    offered = draw()
    target, logits = arrays(offered)
    expected = sklearn.metrics.f1_score(target, logits > threshold, average=average)
    value = measure(f"f1_{average}", offered, threshold=threshold)
    assert value.shape == () and value.item() == pytest.approx(expected)


def test_f1_macro_is_over_the_labels_that_have_a_positive_whatever_is_predicted() -> None:
    offered = draw()
    offered["target"][:, 2] = 0
    target, logits = arrays(offered)
    kept = [0, 1, 3, 4]
    expected = sklearn.metrics.f1_score(target[:, kept], logits[:, kept] > 0, average="macro")
    assert measure("f1_macro", offered).item() == pytest.approx(expected)
    offered["logits"][:, 2] = -9
    assert measure("f1_macro", offered).item() == pytest.approx(expected)
    micro = sklearn.metrics.f1_score(target, offered["logits"].numpy() > 0, average="micro")
    assert measure("f1_micro", offered).item() == pytest.approx(micro)


def test_a_label_that_is_never_predicted_counts_nothing() -> None:
    offered = draw()
    offered["logits"][:, 1] = -9
    expected = sklearn.metrics.f1_score(arrays(offered)[0], offered["logits"].numpy() > 0, average="macro")
    assert measure("f1_macro", offered).item() == pytest.approx(expected)


def best_threshold(target: Any, logits: Any, average: str) -> float:
    """The highest of the thresholds with the best F1, by trying each."""
    tried = [-math.inf, *sorted(set(logits.flatten().tolist()))]
    kept = target.any(0) if average == "macro" else slice(None)
    scores = [
        sklearn.metrics.f1_score(target[:, kept], logits[:, kept] > x, average=average, zero_division=0) for x in tried
    ]
    best = max(scores)
    return max(x for x, score in zip(tried, scores, strict=True) if score > best - 1e-12)


@pytest.mark.verify
@AVERAGES
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_f1_tuned_has_the_threshold_that_is_best_on_validation(average: str, ties: bool, seed: int) -> None:
    offered = draw(30, 4, seed, ties)
    if seed == 1:
        offered["validation_target"][:, 2] = 0
    threshold = best_threshold(*arrays(offered, "validation_"), average)
    target, logits = arrays(offered)
    expected = sklearn.metrics.f1_score(target, logits > threshold, average=average)
    assert measure("f1_tuned", offered, average=average).item() == pytest.approx(expected)


@AVERAGES
def test_f1_tuned_of_the_validation_part_itself_is_the_best_there_is(average: str) -> None:
    offered = draw(30, 4)
    offered |= {name: offered[f"validation_{name}"] for name in ("logits", "target")}
    target, logits = arrays(offered)
    tried = [sklearn.metrics.f1_score(target, logits > x, average=average) for x in logits.flatten()]
    value = measure("f1_tuned", offered, average=average).item()
    assert value == pytest.approx(max(tried)) and value > measure(f"f1_{average}", offered).item()


@AVERAGES
def test_f1_tuned_does_not_see_where_the_logits_lie(average: str) -> None:
    offered = draw()
    moved = {name: v - 40 if "logits" in name else v for name, v in offered.items()}
    value = measure("f1_tuned", offered, average=average)
    torch.testing.assert_close(measure("f1_tuned", moved, average=average), value)
    assert measure(f"f1_{average}", moved) == 0


@AVERAGES
def test_where_to_predict_all_is_best_all_is_predicted(average: str) -> None:
    offered = draw()
    offered["validation_target"][:] = 1
    offered["logits"] -= 100
    target = arrays(offered)[0]
    expected = sklearn.metrics.f1_score(target, numpy.ones_like(target), average=average)
    assert measure("f1_tuned", offered, average=average).item() == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.0, -0.5])
def test_subset_accuracy_is_scikit_learns(threshold: float) -> None:
    offered = draw(400, 3)
    target, logits = arrays(offered)
    value = measure("subset_accuracy", offered, threshold=threshold)
    assert value.shape == (400,)
    assert value.mean().item() == pytest.approx(sklearn.metrics.accuracy_score(target, logits > threshold))
    assert 0 < value.mean() < 1


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_label_ece_is_the_weighted_gap_of_the_bins(bins: int) -> None:
    offered = draw()
    p, target = offered["probabilities"].flatten().tolist(), offered["target"].flatten().tolist()
    total = 0.0
    for k in range(bins):
        inside = [(y, q) for y, q in zip(target, p, strict=True) if k / bins < q <= (k + 1) / bins]
        total += abs(sum(y - q for y, q in inside)) / len(p)
    assert measure("multilabel_ece", offered, bins=bins).item() == pytest.approx(total)
    assert total > 0.02


def test_the_bins_of_label_ece_are_closed_above_and_hold_both_ends() -> None:
    p = torch.tensor([[9 / 15, 0.59, 0.0, 1.0]], dtype=torch.float64)  # 9/15 belongs with 0.59
    offered = {"probabilities": p, "target": torch.tensor([[1.0, 0.0, 1.0, 0.0]])}
    assert measure("multilabel_ece", offered).item() == pytest.approx((abs(1 - 9 / 15 - 0.59) + 1 + 1) / 4)


def test_label_ece_of_a_calibrated_model_shrinks_with_the_examples() -> None:
    g = torch.Generator().manual_seed(1)
    found = []
    for n in (20, 50_000):
        p = torch.rand(n, 4, generator=g)
        found.append(
            measure("multilabel_ece", {"probabilities": p, "target": (torch.rand(n, 4, generator=g) < p).float()})
        )
    assert found[0] > 0.05 and found[1] < 0.01


class TestClassNumbers:
    def draw(self) -> dict[str, Tensor]:
        g = torch.Generator().manual_seed(0)
        target = torch.multinomial(torch.tensor([0.6, 0.3, 0.1]), 200, replacement=True, generator=g)
        logits = torch.randn(200, 3, generator=g, dtype=torch.float64) + 1.5 * torch.eye(3)[target]
        return {"logits": logits, "probabilities": logits.softmax(-1), "target": target}

    @AVERAGES
    def test_f1_takes_the_largest_logit(self, average: str) -> None:
        offered = self.draw()
        predicted = offered["logits"].argmax(-1).numpy()
        expected = sklearn.metrics.f1_score(offered["target"].numpy(), predicted, average=average)
        assert measure(f"f1_{average}", offered).item() == pytest.approx(expected)

    def test_f1_micro_and_subset_accuracy_are_the_accuracy(self) -> None:
        offered = self.draw()
        right = sklearn.metrics.accuracy_score(offered["target"].numpy(), offered["logits"].argmax(-1).numpy())
        for name in ("f1_micro", "subset_accuracy"):
            assert measure(name, offered).mean().item() == pytest.approx(right)

    def test_map_is_one_class_against_the_rest(self) -> None:
        offered = self.draw()
        one_hot = numpy.eye(3, dtype=int)[offered["target"].numpy()]
        expected = sklearn.metrics.average_precision_score(one_hot, offered["logits"].numpy())
        assert measure("mean_average_precision", offered).item() == pytest.approx(expected)

    @pytest.mark.parametrize("name", ["multilabel_ece", "f1_tuned", "f1_tuned_macro"])
    def test_others_read_them_as_one_label_each(self, name: str) -> None:
        offered = self.draw()
        offered |= {"validation_logits": offered["logits"].flip(0), "validation_target": offered["target"].flip(0)}
        one_hot = {k: torch.eye(3)[v] if "target" in k else v for k, v in offered.items()}
        torch.testing.assert_close(measure(name, offered), measure(name, one_hot))


@EVERY
def test_a_logit_that_is_not_a_number_is_not_hidden(name: str) -> None:
    offered = draw(6, 3)
    offered["logits"][2, 1] = math.nan
    offered["probabilities"] = offered["logits"].sigmoid()
    value = measure(name, offered)
    assert value.isnan().tolist() == ([k == 2 for k in range(6)] if name == "subset_accuracy" else True)


@pytest.mark.parametrize("name", ["f1_tuned", "f1_tuned_macro"])
def test_nor_is_one_of_the_validation_part(name: str) -> None:
    offered = draw(6, 3)
    offered["validation_logits"][2, 1] = math.nan
    assert measure(name, offered).isnan()


@pytest.mark.verify
@EVERY
def test_a_metric_can_be_mapped_over_seeds(name: str) -> None:
    runs = [draw(40, 3, seed) for seed in range(3)]
    stacked = {key: torch.stack([run[key] for run in runs]) for key in runs[0]}
    mapped = torch.func.vmap(lambda offered: measure(name, offered))(stacked)
    torch.testing.assert_close(mapped, torch.stack([measure(name, run) for run in runs]))


@EVERY
def test_half_logits_are_judged_as_if_they_were_not(name: str) -> None:
    offered = {key: value.half() if "target" not in key else value for key, value in draw(300, 5).items()}
    exact = {key: value.double() for key, value in offered.items()}
    torch.testing.assert_close(measure(name, offered).double(), measure(name, exact).double(), rtol=1e-5, atol=1e-6)


@pytest.mark.verify
@EVERY
def test_the_declared_direction_is_the_true_one(name: str) -> None:
    offered = draw(100, 3)
    good = offered | {"logits": 8 * offered["target"].double() - 4}
    good |= {"probabilities": good["logits"].sigmoid()}
    lead = (measure(name, good).mean() - measure(name, offered).mean()).item()
    declared: Any = components("metric")[name.removesuffix("_macro") if "tuned" in name else name]
    assert declared.higher_is_better == (lead > 0)
