"""Examples on a decision threshold: the optimizer's last steps decide them, not the loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from harness.results.threshold import LEAST, SHARE, NearThreshold

NEAR = 0.02
"""Share of the typical gap between the two largest logits below which an example is on the threshold."""

MOST = 1000
"""Number of decisions up to which those of seeds measured one by one are kept; of more, one decides little."""


def gaps(scores: Tensor) -> Tensor:
    """Gap between the two largest scores [m, n] of each example, over its root mean square [m]; NaN for n < 2."""
    if scores.ndim != 2 or scores.shape[1] < 2:
        return torch.full(scores.shape[:1], torch.nan, dtype=torch.float64)
    first, second = scores.double().topk(2).values.unbind(-1)
    gap = first - second
    return gap / gap[gap.isfinite()].square().mean().sqrt()


def label_gaps(scores: Tensor) -> Tensor:
    """Distance of each label's score [m, n] from the threshold 0, over the root mean square [m n]."""
    gap = scores.double().abs().flatten()
    return gap / gap[gap.isfinite()].square().mean().sqrt()


def on_threshold(near: Sequence[Tensor], right: Sequence[Tensor], examples: Sequence[Tensor]) -> list[float] | None:
    """Return the share of each seed's examples that are on the threshold; None where none is, or nothing is decided.

    Of every seed, `near` [m] are the gaps, `right` [m] a metric's results and `examples` [m] their numbers. An example
    is on the threshold where the gap is within `NEAR` at nearly every seed and the results, 0 or 1, differ between
    these: a minimum of the loss that lies on a data point, around which each seed ends on either side.
    """
    masks = tied(near, right, examples)
    shares = [] if masks is None else [float(mask.double().mean()) for mask in masks]
    return shares if any(shares) else None


def tied(near: Sequence[Tensor], right: Sequence[Tensor], examples: Sequence[Tensor]) -> list[Tensor] | None:
    """Return which of each seed's examples [m] are on the threshold, as `on_threshold` finds them; None for none."""
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
    chance = (count >= LEAST) & (flagged >= SHARE * count) & (wins > 0) & (wins < flagged)
    return list(chance[place].split([len(each) for each in near])) if bool(chance.any()) else None


def near_threshold(near: Tensor, right: Tensor, numbers: Tensor, reach: float | None = None) -> NearThreshold | None:
    """Return a seed's decisions with gaps `near` [m] and results `right` [m]; None where these are none, or many."""
    if not 0 < len(numbers) <= MOST or not bool(((right == 0) | (right == 1)).all()):
        return None
    close = near <= NEAR
    return NearThreshold(numbers.tolist(), numbers[close].tolist(), numbers[close & (right == 1)].tolist(), reach)


def decisions(scores: Tensor, target: Tensor, labels: bool) -> Tensor:
    """Return whether the decisions by scores [m, n] are right, [m] of classes or [m n] of `labels`."""
    if labels:
        return ((scores > 0) == (target > 0.5)).flatten()
    return scores.argmax(-1) == target


def decided(logits: Tensor, scores: Tensor, target: Tensor, mask: Tensor, rightly: bool, labels: bool) -> Tensor:
    """Return logits [m, n] by which all decisions on the threshold are right, or all wrong, and others as they were.

    `mask` tells those on the threshold. The two largest logits change places, or a label's changes its sign.
    """
    turned = mask & (decisions(scores, target, labels) != rightly)
    if labels:
        return torch.where(turned.view_as(logits), -logits, logits)
    first, second = scores.topk(2).indices.T
    turned &= (second == target) if rightly else turned
    rows, found = turned.nonzero()[:, 0], logits.clone()
    found[rows, first[rows]], found[rows, second[rows]] = logits[rows, second[rows]], logits[rows, first[rows]]
    return found
