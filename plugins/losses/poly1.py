"""PolyLoss with its first coefficient changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import torch
from annotated_types import Ge

from harness import Loss, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class Poly1(Loss):
    """Cross-entropy with a changed first polynomial term (Leng et al., 2022).

    -log p_y + epsilon (1 - p_y) with p the softmax. Logits [batch, classes], labels [batch] -> [batch], nats.
    epsilon = 0 is cross-entropy, a positive one adds so much of `expected_error`; below -1 the loss would rise again as
    p_y goes to 1.
    """

    reference = """
    @inproceedings{leng2022polyloss, author = {Leng, Zhaoqi and Tan, Mingxing and Liu, Chenxi and others}, title =
      {{PolyLoss}: A Polynomial Expansion Perspective of Classification Loss Functions}, booktitle =
      {International Conference on Learning Representations}, year = {2022}}"""

    tasks: ClassVar = ("classes",)
    epsilon: Annotated[float, Ge(-1)] = 2.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        log_p = torch.log_softmax(logits, -1).gather(-1, target[:, None])[:, 0]
        return -log_p - self.epsilon * log_p.expm1()


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Poly1]
