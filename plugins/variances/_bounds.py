"""Upper bound on every exact variance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import DiffusionModel


def largest(model: DiffusionModel) -> float:
    """Largest variance of data in [a, b], ((b - a) / 2)^2; infinite where the data are unbounded."""
    low, high = model.data_range or (-math.inf, math.inf)
    return ((high - low) / 2) ** 2
