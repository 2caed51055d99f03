"""Negative log-likelihood as a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class NLL(Metric):
    """Negative log-likelihood of the true label.

    -log p(target). Lower is better; nats; unbiased. log_probabilities [..., n, classes], target [..., n] -> [..., n].
    For a soft label [..., n, classes] it is the cross-entropy -sum_j t_j log p_j, least at p = t, where it is the
    label's entropy. The probabilities are those of the contender's own loss: softmax of the logits, unless the loss is
    over another transform or temperature. Infinite where a transform gives 0; one confident mistake can dominate the
    mean.
    """

    tasks: ClassVar = ("classes", "grouped")
    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "nats"

    def __call__(self, log_probabilities: Tensor, target: Tensor) -> Tensor:
        if target.is_floating_point():
            return -torch.where(target > 0, target * log_probabilities, 0.0).sum(-1)  # 0 log 0 is 0
        return -log_probabilities.gather(-1, target[..., None])[..., 0]


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [NLL]
