"""The wrapper `scaled`: its arithmetic, and that what the inner loss asks for gets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Loss, call_with_inputs, replace_fields
from harness.discovery.registry import component
from harness.inputs import requested_inputs


class Weighted(Loss):
    """Cross-entropy times progress and class counts."""

    def __call__(self, logits: Tensor, target: Tensor, progress: float, class_counts: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none") * progress / class_counts[target]


class Counting(Loss):
    """Cross-entropy that counts its calls."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none")

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Its value, one call on."""
        return self(logits, target), {"calls": state["calls"] + 1}

    def state(self) -> dict[str, Any]:
        """One counter."""
        return {"calls": torch.zeros(())}


def scaled(loss: Any, **fields: Any) -> Any:
    return component("loss", "scaled", loss=loss, **fields)


def draw(batch: int = 6, classes: int = 4) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return 5 + 3 * torch.randn(batch, classes, generator=g, dtype=torch.float64), torch.arange(batch) % classes


@pytest.mark.parametrize("temperature", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("standardize", [False, True])
def test_logits_are_standardised_as_a_whole_then_divided(standardize: bool, temperature: float) -> None:
    logits, target = draw()
    scores = logits.numpy()
    if standardize:
        scores = (scores - scores.mean()) / scores.std(ddof=1)
    expected = F.cross_entropy(torch.from_numpy(scores / temperature), target, reduction="none")
    torch.testing.assert_close(
        scaled("cross_entropy", standardize=standardize, temperature=temperature)(logits, target), expected
    )


def test_standardised_logits_have_no_scale() -> None:
    logits, target = draw()
    loss = scaled("hinge", standardize=True)
    torch.testing.assert_close(loss(1e-3 * logits, target), loss(logits, target))


def test_the_gradient_flows_through_mean_and_deviation() -> None:
    logits, target = draw()
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(scaled("cross_entropy", standardize=True)(logits, target).sum(), logits)
    assert gradient.sum().abs() < 1e-12  # unmoved by a shift
    assert (gradient * logits).sum().abs() < 1e-12  # unmoved by a scale


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e4])
def test_equal_logits_give_a_finite_loss_and_gradient(constant: float) -> None:
    logits = torch.full((5, 3), constant, requires_grad=True)
    value = scaled("cross_entropy", standardize=True)(logits, torch.arange(5) % 3)
    (gradient,) = torch.autograd.grad(value.mean(), logits)
    torch.testing.assert_close(value, torch.full((5,), 3.0).log())
    assert gradient.abs().max() < 1
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("standardize", [False, True])
def test_a_masked_class_is_no_class(standardize: bool) -> None:
    logits, target = draw(6, 3)
    wide = torch.cat([logits, torch.full((6, 1), -torch.inf)], 1).requires_grad_()
    temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    loss = replace_fields(scaled("cross_entropy", standardize=standardize), {("temperature",): temperature})
    value, expected = loss(wide, target).sum(), loss(logits.requires_grad_(), target).sum()
    torch.testing.assert_close(value, expected)
    gradients = torch.autograd.grad(value, (wide, temperature))
    without = torch.autograd.grad(expected, (logits, temperature))
    torch.testing.assert_close(gradients[0], torch.cat([without[0], torch.zeros(6, 1)], 1))
    torch.testing.assert_close(gradients[1], without[1])


def test_the_inner_loss_gets_what_it_asks_for_and_no_more() -> None:
    logits, target = draw()
    available = {"progress": 0.5, "class_counts": torch.tensor([1.0, 2.0, 3.0, 4.0]), "epoch": 3}
    wrapped = scaled(scaled(Weighted(), temperature=2.0), temperature=3.0)
    torch.testing.assert_close(
        call_with_inputs(wrapped, logits, target, **available),
        call_with_inputs(Weighted(), logits / 6, target, **available),
    )
    torch.testing.assert_close(
        call_with_inputs(scaled("focal"), logits, target, **available), component("loss", "focal")(logits, target)
    )


def test_a_wrapper_wants_what_is_inside() -> None:
    assert requested_inputs(scaled(scaled(Weighted()))) == {"progress", "class_counts"}
    assert requested_inputs(scaled("nll")) == frozenset()


def test_the_state_of_the_inner_loss_gets_through() -> None:
    logits, target = draw()
    loss = scaled(Counting())
    value, state = call_with_inputs(loss.with_state, logits, target, state=loss.state(), epoch=1)
    _, state = call_with_inputs(loss.with_state, logits, target, state=state, epoch=2)
    assert state["calls"] == 2
    torch.testing.assert_close(value, F.cross_entropy(logits, target, reduction="none"))
