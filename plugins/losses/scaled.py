"""Wrapper that applies any loss to standardized logits at a temperature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F

from harness import Loss, Positive, call_with_inputs, hookimpl

from ._scores import divided, wide
from ._standard import standardized

if TYPE_CHECKING:
    from torch import Tensor


class Scaled(Loss):
    """Applies a loss to logits that are standardized and rescaled.

    `loss` receives the logits standardized over the batch if `standardize` is set, then divided by `temperature`, in
    float32 or wider. Logits [batch, classes], labels [batch] -> the result of `loss`. It gives any loss the free scale
    that `exact` has, so that the effects of the two can be separated. Inputs that `loss` asks for by name, and its
    state, are passed on.
    """

    loss: Loss
    standardize: bool = False
    temperature: Positive = 1.0

    def __call__(self, logits: Tensor, target: Tensor, /, **inputs: Any) -> Tensor:
        value: Tensor = call_with_inputs(self.loss, self._scores(logits), target, **inputs)
        return value

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities of `loss` for the scaled logits; `standardize` acts on all logits given."""
        scores = self._scores(logits)
        own = self.loss.probabilities(scores)
        usual = torch.sigmoid if of_labels(self.loss) else _softmax
        return usual(scores) if own is None else own

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Log-probabilities of `loss` for the scaled logits; `standardize` acts on all logits given."""
        scores = self._scores(logits)
        own = self.loss.log_probabilities(scores)
        usual = F.logsigmoid if of_labels(self.loss) else _log_softmax
        return usual(scores) if own is None else own

    def state(self) -> dict[str, Tensor]:
        """State of `loss`."""
        return self.loss.state()

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step of `loss` with its state."""
        step: tuple[Tensor, Mapping[str, Tensor]] = call_with_inputs(
            self.loss.with_state, self._scores(logits), target, state=state, **inputs
        )
        return step

    def _scores(self, logits: Tensor) -> Tensor:
        scores = wide(logits)
        return divided(standardized(scores) if self.standardize else scores, self.temperature)


def of_labels(loss: Loss) -> bool:
    """Whether a loss, or every loss that it holds, is for labels alone: its usual probabilities are sigmoids."""
    held = [value for value in vars(loss).values() if isinstance(value, Loss)]
    return tuple(loss.tasks) == ("multilabel",) or (not loss.tasks and bool(held) and all(map(of_labels, held)))


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(-1)


def _log_softmax(scores: Tensor) -> Tensor:
    return scores.log_softmax(-1)


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Scaled]
