"""Any loss on standardised logits at a temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness import Loss, Positive, call, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Scaled(Loss):
    """`loss` on logits that are first standardised over the batch, if asked, and then divided by `temperature`.

    [batch, classes], [batch] -> what `loss` returns; half logits are scaled in float32. Gives any loss the free scale
    that EXACT brings along, so that the two can be told apart. What `loss` asks for by name, its state included, is
    passed on.
    """

    loss: Loss
    standardize: bool = False
    temperature: Positive = 1.0

    def __call__(self, logits: Tensor, target: Tensor, **available: Any) -> Any:
        scores = logits.to(torch.promote_types(logits.dtype, torch.float32))
        scores = (_standardised(scores) if self.standardize else scores) / self.temperature
        return call(self.loss, scores, target, **available)

    def state(self) -> dict[str, Any]:
        """The state of `loss`."""
        return self.loss.state()


def _standardised(logits: Tensor) -> Tensor:
    """(s - mean) / std with one mean and one std (n - 1) over batch and classes; gradients flow through both.

    Logits that are all equal, up to rounding, are only centred: 0 / 0 otherwise, at a zero-initialised last layer.
    """
    mean, std = logits.mean(), logits.std()
    rounding = 16 * torch.finfo(logits.dtype).eps * logits.detach().abs().amax()
    return (logits - mean) / torch.where(std > rounding, std, torch.ones_like(std))


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [Scaled]
