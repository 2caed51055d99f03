"""Any loss on standardised logits at a temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.losses._scores import divided, wide
from harness.stock.losses._standard import standardized

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
        return call(self.loss, self._scores(logits), target, **available)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Those of `loss` for the scaled logits; they are standardised over all that are given."""
        scores = self._scores(logits)
        own = self.loss.probabilities(scores)
        return scores.softmax(-1) if own is None else own

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Those of `loss` for the scaled logits; they are standardised over all that are given."""
        scores = self._scores(logits)
        own = self.loss.log_probabilities(scores)
        return scores.log_softmax(-1) if own is None else own

    def state(self) -> dict[str, Any]:
        """The state of `loss`."""
        return self.loss.state()

    def _scores(self, logits: Tensor) -> Tensor:
        scores = wide(logits)
        return divided(standardized(scores) if self.standardize else scores, self.temperature)


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [Scaled]
