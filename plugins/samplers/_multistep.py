"""What the deterministic multistep samplers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from harness.stock.samplers._linear import Linear

from harness import Only


class Multistep(Linear):
    """A sampler whose steps take the last `solver_order` answers into account."""

    ignores: ClassVar[Sequence[str]] = ("variance",)
    solver_order: Annotated[int, Only(least=1, most=3)] = 2

    @property
    def order(self) -> float | None:
        """That of the solver."""
        return self.solver_order
