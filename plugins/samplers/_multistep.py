"""Base class of the deterministic multistep samplers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from harness import derived

from ._linear import Linear


class Multistep(Linear):
    """A sampler whose steps use the last `solver_order` network outputs."""

    unused_kinds: ClassVar[Sequence[str]] = ("variance",)
    solver_order: Annotated[int, Ge(1), Le(3)] = 2

    order = derived(lambda self: self.solver_order)
