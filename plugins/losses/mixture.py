"""A weighted mean of two losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Loss, Unit, call, hookimpl, named

if TYPE_CHECKING:
    from torch import Tensor


class Mixture(Loss):
    """`weight` times the `first` loss plus (1 - `weight`) times the `second`.

    [batch, classes], [batch] -> [batch], or a scalar where both are. By default cross-entropy, whose gradient is large
    where an example is wrong, and the smooth error that is wanted; `weight: {linear: [1, 0]}` goes from the one to the
    other. What either asks for by name, its state included, is passed on.
    """

    first: Loss = named("cross_entropy")
    second: Loss = named("expected_error")
    weight: Unit = 0.5

    def __call__(self, logits: Tensor, target: Tensor, **available: Any) -> Any:
        before, after, values = available.pop("state", {}), {}, []
        for part, loss in self._parts.items():
            own = {name: before[f"{part}.{name}"] for name in loss.state()}
            result = call(loss, logits, target, **available, state=own)
            value, own = result if isinstance(result, tuple) else (result, own)
            after |= {f"{part}.{name}": tensor for name, tensor in own.items()}
            values.append(value)
        mean = self.weight * values[0] + (1 - self.weight) * values[1]
        return (mean, after) if after else mean

    def state(self) -> dict[str, Any]:
        """The states of both, each name after that of its field."""
        return {f"{part}.{name}": v for part, loss in self._parts.items() for name, v in loss.state().items()}

    @property
    def _parts(self) -> dict[str, Loss]:
        return {"first": self.first, "second": self.second}


@hookimpl
def components() -> list[type[Loss]]:
    """What this file brings."""
    return [Mixture]
