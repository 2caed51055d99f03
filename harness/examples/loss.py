"""A loss: one value for each example."""

from typing import Any

from torch import Tensor
from torch.nn import functional

from harness import Loss, Positive, hookimpl


class Tempered(Loss):
    """Cross-entropy of logits divided by a temperature."""

    temperature: Positive = 1.0

    def __call__(
        self,
        logits: Tensor,
        target: Tensor,
        /,
        *args: Any,
        **inputs: Any,
    ) -> Tensor:
        """Logits [n, classes] and classes [n] -> losses [n]."""
        tempered = logits / self.temperature
        return functional.cross_entropy(tempered, target, reduction="none")


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Tempered]
