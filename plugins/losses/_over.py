"""Base class of the losses over a transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Loss, Transform, named

if TYPE_CHECKING:
    from torch import Tensor


class Over(Loss):
    """A loss of the probabilities that `transform` makes of the logits."""

    tasks: ClassVar = ("classes",)
    transform: Transform = named("softmax")

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities of the transform."""
        p: Tensor = self.transform(logits)
        return p

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Log-probabilities of the transform."""
        return self.transform.log(logits)
