"""What every loss of logits and class numbers obeys, asserted of one loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Draw = Callable[..., tuple[Tensor, Tensor]]


def gradient_equals_finite_differences(loss: Any, draw: Draw) -> None:
    logits, target = draw()
    assert torch.autograd.gradcheck(lambda s: loss(s, target), logits.requires_grad_())


def a_constant_changes_nothing(loss: Any, draw: Draw) -> None:
    logits, target = draw()
    torch.testing.assert_close(loss(logits + 7.5, target), loss(logits, target))


def vmap_over_seeds_equals_a_loop(loss: Any, draw: Draw) -> None:
    runs = [draw(seed=k) for k in range(3)]
    logits, target = (torch.stack(part) for part in zip(*runs, strict=True))
    step = torch.func.grad_and_value(lambda s, y: loss(s, y).mean())
    gradients, values = torch.func.vmap(step)(logits, target)
    for k, run in enumerate(runs):
        gradient, value = step(*run)
        torch.testing.assert_close(values[k], value)
        torch.testing.assert_close(gradients[k], gradient)
