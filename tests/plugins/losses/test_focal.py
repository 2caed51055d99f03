"""Focal loss at the ends of its range."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from harness.discovery.registry import component


def test_focal_without_focus_is_cross_entropy() -> None:
    logits = 3 * torch.randn(16, 5, generator=torch.Generator().manual_seed(0))
    target = torch.arange(16) % 5
    torch.testing.assert_close(
        component("loss", "focal", gamma=0.0)(logits, target), F.cross_entropy(logits, target, reduction="none")
    )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_gradient_is_finite_where_the_answer_is_certain(gamma: float) -> None:
    logits = torch.tensor([[200.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(component("loss", "focal", gamma=gamma)(logits, torch.tensor([0])).sum(), logits)
    assert torch.equal(gradient, torch.zeros(1, 2))
