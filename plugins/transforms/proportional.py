"""Probabilities proportional to a positive increasing function of the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from torch.nn.functional import logsigmoid, softplus

from harness import Transform, hookimpl

from ._along import Along
from ._argmax import log_softmax

if TYPE_CHECKING:
    from torch import Tensor

LINEAR = -20.0
"""Below it softplus is exp to rounding of float32, and its logarithm is the logit itself."""


class Proportional(Along):
    """Probabilities in proportion to a function of each logit (Su, 2022).

    p_i = f(logit_i) / sum_j f(logit_j); `function` is f: softplus, log(1 + exp x), or sigmoid. Logits [..., n] ->
    probabilities [..., n], always positive, in the order of the logits. A constant added to the logits changes p:
    only f = exp(k x) prevents that. Source: kexue.fm/archives/9085, equation 2.
    """

    function: Literal["softplus", "sigmoid"] = "softplus"
    shifts: ClassVar[bool] = False
    properties: ClassVar[Sequence[str]] = ("order",)

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probabilities: [r, n] -> [r, n]."""
        return self._log_function(rows).softmax(-1)

    def log_probabilities(self, rows: Tensor) -> Tensor:
        """Log-probabilities: [r, n] -> [r, n]."""
        return log_softmax(self._log_function(rows))

    def _log_function(self, rows: Tensor) -> Tensor:
        if self.function == "sigmoid":
            return logsigmoid(rows)
        near = rows > LINEAR
        return torch.where(near, softplus(torch.where(near, rows, 0.0)).log(), rows)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Proportional]
