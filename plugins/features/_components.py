"""Principal components."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def fit(x: Tensor, count: int, whiten: bool) -> dict[str, Tensor]:
    """Mean [d] and directions [d, c] of points [n, d]: the `count` of largest variance, or as many as there are.

    With `whiten` a direction is divided by the deviation along it, so that every component has unit variance.
    """
    mean = x.double().mean(0)
    gaps = x.double() - mean
    values, vectors = torch.linalg.eigh(gaps.T @ gaps / max(1, len(x) - 1))
    kept = values.flip(0)[:count] > values[-1] * 1e-10  # smaller ones are rounding
    directions = vectors.flip(1)[:, :count][:, kept]
    scale = values.flip(0)[:count][kept].rsqrt() if whiten else 1
    return {"mean": mean, "directions": directions * scale}


def project(fitted: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Components of points [n, d] -> [n, c], float64."""
    return (x.double() - fitted["mean"].to(x.device)) @ fitted["directions"].to(x.device)
