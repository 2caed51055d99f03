"""A weighted mean of two losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from harness import Loss, UnitInterval, call_with_inputs, hookimpl, named

if TYPE_CHECKING:
    from torch import Tensor


class Mixture(Loss):
    """Weighted mean of two losses.

    `weight` times the `first` loss plus (1 - `weight`) times the `second`. Logits [batch, classes], labels [batch] ->
    [batch], or a scalar where both losses are. By default it combines cross-entropy, whose gradient is large where an
    example is wrong, with the smooth error that is to be minimized; `weight: {linear: [1, 0]}` moves from the first to
    the second. Inputs that either asks for by name, and its state, are passed on.
    """

    first: Loss = named("cross_entropy")
    second: Loss = named("expected_error")
    weight: UnitInterval = 0.5

    def __call__(self, logits: Tensor, target: Tensor, /, **inputs: Any) -> Tensor:
        return self._mean([call_with_inputs(loss, logits, target, **inputs) for loss in self._parts.values()])

    def probabilities(self, logits: Tensor) -> Tensor | None:
        """Probabilities that both losses declare; None where they differ, or where one declares none."""
        first, second = (loss.probabilities(logits) for loss in self._parts.values())
        alike = first is not None and second is not None and torch.allclose(first, second, atol=1e-6, equal_nan=True)
        return first if alike else None

    def log_probabilities(self, logits: Tensor) -> Tensor | None:
        """Logarithm of `probabilities`."""
        return None if self.probabilities(logits) is None else self.first.log_probabilities(logits)

    def state(self) -> dict[str, Tensor]:
        """States of both losses, each name prefixed with that of its field."""
        return {f"{part}.{name}": v for part, loss in self._parts.items() for name, v in loss.state().items()}

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], **inputs: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """One step of both losses, each with its own state; a loss without state is called."""
        values: list[Tensor] = []
        after: dict[str, Tensor] = {}
        for part, loss in self._parts.items():
            own: Mapping[str, Tensor] = {name: state[f"{part}.{name}"] for name in loss.state()}
            if own:
                value, own = call_with_inputs(loss.with_state, logits, target, state=own, **inputs)
            else:
                value = call_with_inputs(loss, logits, target, **inputs)
            after |= {f"{part}.{name}": tensor for name, tensor in own.items()}
            values.append(value)
        return self._mean(values), after

    def _mean(self, values: Sequence[Tensor]) -> Tensor:
        return self.weight * values[0] + (1 - self.weight) * values[1]

    @property
    def _parts(self) -> dict[str, Loss]:
        return {"first": self.first, "second": self.second}


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [Mixture]
