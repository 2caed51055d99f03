"""The Fenchel-Young loss of entmax."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import Loss, Positive, component, hookimpl, replace_fields

from ._scores import wide

if TYPE_CHECKING:
    from torch import Tensor


class EntmaxLoss(Loss):
    """Fenchel-Young loss of entmax (Blondel, Martins and Niculae, 2020).

    <p, logits> + H(p) - logit_y with p = entmax(logits) and H its Tsallis entropy. Logits [batch, classes], labels
    [batch] -> [batch], at least 0, and 0 exactly where p is the label. The gradient is p - [j = y], so it does not
    vanish where p_y = 0, as that of -log p_y would. alpha = 1 is cross-entropy in nats, 2 is `sparsemax_loss`.
    """

    reference = r"""
    @article{blondel2020fenchel, author = {Blondel, Mathieu and Martins, Andr{\'e} F. T. and Niculae, Vlad}, title =
      {Learning with {Fenchel-Young} Losses}, journal = {Journal of Machine Learning Research}, volume = {21},
      number = {35}, year = {2020}}"""

    tasks: ClassVar = ("classes",)
    alpha: Positive = 1.5

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        scores = wide(logits)
        log_p = self.log_probabilities(scores)
        inside = log_p > -torch.inf
        log_p, p = torch.where(inside, log_p, 0.0), log_p.exp()
        gaps = torch.where(inside, scores - scores.gather(-1, target[:, None]), 0.0)
        # H(p) = sum_i (p_i - p_i^alpha) / (alpha (alpha - 1)), in a form that is stable at alpha = 1
        surprise = -log_p * _growth((self.alpha - 1) * log_p) / self.alpha
        value = (p * (gaps + surprise)).sum(-1)
        return value - value.detach().clamp(max=0.0)  # rounding alone makes it negative

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities of entmax, some of them 0."""
        p: Tensor = self._transform(logits)
        return p

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Log-probabilities of entmax, some of them -inf."""
        log_p: Tensor = self._transform.log(logits)
        return log_p

    @property
    def _transform(self) -> Any:
        return replace_fields(_entmax(), {("alpha",): self.alpha})


def _growth(u: Tensor) -> Tensor:
    """Value of (e^u - 1) / u, with its derivative also where u is 0 or near it."""
    near = u.abs() < 1e-3
    small, large = torch.where(near, u, 0.0), torch.where(near, 1.0, u)
    series = 1 + small / 2 * (1 + small / 3 * (1 + small / 4 * (1 + small / 5)))
    return torch.where(near, series, large.expm1() / large)


@functools.cache
def _entmax() -> Any:
    return component("transform", "entmax")


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [EntmaxLoss]
