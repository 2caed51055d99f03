"""Normalization of a quadrature before it is repaired by division."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness import Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class MassError(Metric):
    """Distance of a quadrature's total from 1 before normalization.

    Lower is better. transform, logits [batch, n] -> scalar, from the transform's own `mass(logits)` [batch, 1]. None
    for transforms that have none: they are normalized by construction. `normalization_error` sees only what is left
    after division by the total.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, transform: Any, logits: Tensor) -> float | None:
        mass = getattr(transform, "mass", None)
        return None if mass is None else float((mass(logits).double() - 1).abs().max())


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [MassError]
