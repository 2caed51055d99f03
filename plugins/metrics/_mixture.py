"""Mixtures of normal distributions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ._pairs import pieces

if TYPE_CHECKING:
    from harness import DiffusionModel


class Mixture(NamedTuple):
    """Weights [k] that sum to 1, means [k, d], covariances [k, d, d]; float64."""

    weights: Tensor
    means: Tensor
    covariances: Tensor

    def within(self) -> Tensor:
        """Root mean square distance of a draw from the mean of its component."""
        return (self.weights @ self.covariances.diagonal(dim1=1, dim2=2).sum(-1)).sqrt()

    def between(self) -> Tensor:
        """Root mean square distance of a draw from the overall mean."""
        gaps = self.means - self.weights @ self.means
        return (self.within().square() + self.weights @ gaps.square().sum(-1)).sqrt()

    def log_joint(self, x: Tensor) -> Tensor:
        """Logarithm of weight times density of each component at points [n, d] -> [n, k], nats."""
        count, d = self.means.shape
        lower: Tensor = torch.linalg.cholesky(self.covariances)
        log_scale = lower.diagonal(dim1=1, dim2=2).log().sum(-1) + d / 2 * math.log(2 * math.pi)
        distances = [_solved(lower, rows, self.means).square().sum(1) for rows in pieces(x, count * d)]
        return self.weights.log() - log_scale - torch.cat(distances, 1).T / 2

    def similarity(self, x: Tensor, width: float) -> Tensor:
        """Expectation of exp(-|x - y|^2 / 2 width^2) over draws y of the mixture, at points [n, d] -> [n].

        The kernel is a normal density times (2 pi width^2)^(d/2), and a mixture's convolution with it is a mixture.
        """
        d = self.means.shape[1]
        wider = self._replace(covariances=self.covariances + width**2 * torch.eye(d).to(self.means))
        return (wider.log_joint(x).logsumexp(-1) + d / 2 * math.log(2 * math.pi * width**2)).exp()

    def self_similarity(self, width: float) -> Tensor:
        """Expectation of exp(-|x - y|^2 / 2 width^2) over two independent draws of the mixture."""
        of_components = [
            self._replace(covariances=self.covariances + own).similarity(mean[None], width)
            for mean, own in zip(self.means, self.covariances, strict=True)
        ]
        return self.weights @ torch.cat(of_components)


def mixture_of(model: DiffusionModel) -> Mixture | None:
    """The mixture a denoiser is exact for; None where its net lacks `weights`, `means` or `covariances`."""
    parts: list[Any] = [getattr(model.net, name, None) for name in Mixture._fields]
    if any(not isinstance(part, Tensor) for part in parts):
        return None
    return Mixture(*(part.double() for part in parts))


def _solved(lower: Tensor, x: Tensor, means: Tensor) -> Tensor:
    """Differences from every mean in units of the component's deviations, [k, d, n]."""
    gaps: Tensor = torch.linalg.solve_triangular(lower, (x - means[:, None]).mT, upper=False)
    return gaps
