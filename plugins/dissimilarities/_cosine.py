"""Cosines."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import normalize


def cosines(x: Tensor, y: Tensor) -> Tensor:
    """Cosines of the angles between points [n, d] and [m, d] -> [n, m]; 0 where a point has norm 0."""
    return normalize(x, eps=1e-300) @ normalize(y, eps=1e-300).T
