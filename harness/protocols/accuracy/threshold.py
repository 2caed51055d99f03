"""Examples on a decision threshold: the optimizer's last steps decide them, not the loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

NEAR = 0.02
"""Share of the typical gap between the two largest logits below which an example is on the threshold."""

LEAST, SHARE = 8, 0.9
"""Number of seeds that test an example, and the share of them at which it has to be on the threshold."""


def gaps(scores: Tensor) -> Tensor:
    """Gap between the two largest scores [m, n] of each example, over its root mean square [m]; NaN for n < 2."""
    if scores.ndim != 2 or scores.shape[1] < 2:
        return torch.full(scores.shape[:1], torch.nan, dtype=torch.float64)
    first, second = scores.double().topk(2).values.unbind(-1)
    gap = first - second
    return gap / gap[gap.isfinite()].square().mean().sqrt()


def on_threshold(near: Sequence[Tensor], right: Sequence[Tensor], examples: Sequence[Tensor]) -> list[float] | None:
    """Return the share of each seed's examples that are on the threshold; None where none is, or nothing is decided.

    Of every seed, `near` [m] are the gaps, `right` [m] a metric's results and `examples` [m] their numbers. An example
    is on the threshold where the gap is within `NEAR` at nearly every seed and the results, 0 or 1, differ between
    these: a minimum of the loss that lies on a data point, around which each seed ends on either side.
    """
    found, result, number = (torch.cat(list(part)) for part in (near, right, examples))
    if not bool(((result == 0) | (result == 1)).all()):
        return None
    close = found <= NEAR
    if not bool(close.any()):
        return None
    names, place = number.unique(return_inverse=True)
    count, flagged, wins = (
        torch.zeros(len(names)).index_add(0, place, each.float())
        for each in (torch.ones_like(close), close, close & (result == 1))
    )
    tied = (count >= LEAST) & (flagged >= SHARE * count) & (wins > 0) & (wins < flagged)
    shares = [float(part.float().mean()) for part in tied[place].split([len(each) for each in near])]
    return shares if any(shares) else None
