"""Scores by which metrics decide and rank where a loss declares the meaning of its logits."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.conformance import first_call
from harness.kinds import Loss


def declared_scores(loss: Loss, logits: Tensor, labels: bool) -> Tensor | None:
    """Return the log-odds [..., n] of the probabilities that a loss declares; None where the logits rank alike.

    The latter holds where it declares none, or the usual ones: softmax, or sigmoid of `labels`. Log-odds rise with the
    probability and still differ where it rounds to 0 or 1; equal probabilities below 1 have equal log-odds. Where
    rounding in the logits' type could be the reason for equal ones, they are computed in float64. Raises BenchError for
    invalid probabilities.
    """
    own = first_call.log_probabilities(loss, logits, labels, complete=False)
    if own is None or _equal(own, usual_log_probabilities(logits, labels)):
        return None
    if not _resolved(own, labels) and logits.dtype != torch.float64:
        finer = loss.log_probabilities(logits.double())
        own = own if finer is None else finer
    return log_odds(own, labels)


def usual_log_probabilities(logits: Tensor, labels: bool) -> Tensor:
    """Log-softmax of logits [..., n], or the log of their sigmoid for `labels`."""
    return torch.nn.functional.logsigmoid(logits) if labels else logits.log_softmax(-1)


def _equal(one: Tensor, other: Tensor) -> bool:
    return bool(torch.isclose(one.double(), other.double(), rtol=0, atol=0, equal_nan=True).all())


def _resolved(log_p: Tensor, labels: bool) -> bool:
    """Return whether no label's probability rounds to 0 or 1, or whether every row has one largest probability."""
    if labels:
        return not bool(((log_p == 0) | (log_p == -torch.inf)).any())
    return not bool(((log_p == log_p.amax(-1, keepdim=True)).sum(-1) > 1).any())


def log_odds(log_p: Tensor, labels: bool) -> Tensor:
    """Return log p - log(1 - p) [..., n] of log-probabilities of classes, or of `labels`.

    Of a class with p above 1/2 the complement is the sum of the others, so that it does not round to 0.
    """
    if labels:
        return log_p - _log_complement(log_p)
    first = log_p.argmax(-1, keepdim=True)
    others = log_p.scatter(-1, first, -torch.inf).logsumexp(-1, keepdim=True)
    return log_p - torch.where(log_p > -math.log(2), others, _log_complement(log_p))


def _log_complement(log_p: Tensor) -> Tensor:
    """Logarithm of 1 - p, accurate for p near 0 and near 1."""
    return torch.where(log_p > -math.log(2), (-log_p.expm1()).log(), (-log_p.exp()).log1p())
