"""How much of a loss's gradient falls on examples that are classified wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, Metric, hookimpl, named

from ._labels import hits

if TYPE_CHECKING:
    from torch import Tensor


class GradientShare(Metric):
    """Share of a loss's gradient on misclassified examples.

    Sum over the wrong ones of |d loss / d logits|_1, divided by that over all. logits [n, classes], target [n] ->
    scalar in [0, 1]; NaN where all gradients are 0. No value is better. The loss is that of the field, whatever the
    network was trained with: the gradient of 1 - p is p times that of -log p (Su, 2022, kexue.fm/archives/9098), so
    with expected_error the wrong examples weigh less. A share of k times the error rate says that a wrong example has k
    times the weight of the average one.
    """

    loss: Loss = named("cross_entropy")
    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = None

    def __call__(self, logits: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        with torch.enable_grad():
            moved = logits.detach().double().requires_grad_()
            (slope,) = torch.autograd.grad(self.loss(moved, target).sum(), moved)
        sizes = slope.abs().sum(-1)
        wrong = ~hits(logits, target, scores).bool()
        return sizes[wrong].sum() / sizes.sum()


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [GradientShare]
