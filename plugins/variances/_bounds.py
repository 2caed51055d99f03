"""Bounds that no exact variance passes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import Ready


def largest(denoiser: Ready) -> float:
    """((b - a) / 2)^2, the largest variance of data in [a, b]; infinite where they have no range."""
    low, high = denoiser.range or (-math.inf, math.inf)
    return ((high - low) / 2) ** 2
