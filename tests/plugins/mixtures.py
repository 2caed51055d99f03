"""A mixture of normal distributions to test metrics on, written with numpy and scipy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import scipy.stats
import torch
from torch import Generator, Tensor

from harness import Denoiser, DiffusionModel, Schedule


class Never(Schedule):
    """No noise: nothing here is sampled."""

    def alpha_bar(self, t: Tensor) -> Tensor:
        return torch.ones_like(t)


class Known(Denoiser):
    """A target of which everything is known; its net is the mixture below, or nothing."""

    shape: ClassVar = (2,)
    schedule: ClassVar = Never()

    def load(self, device: str) -> Any:
        return None

    def predict(self, net: Any, x: Tensor, t: Tensor) -> Tensor:
        raise NotImplementedError

    def log_prob(self, net: Any, x: Tensor) -> Tensor | None:
        return None if net is None else torch.from_numpy(np.log(density(net, x.flatten(1).double().numpy())))


def mixture(d: int, count: int, seed: int = 0, deviation: float = 0.3) -> SimpleNamespace:
    """Unequal weights, means about 1 apart, correlated columns."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(count, d, d)) * deviation / np.sqrt(d)
    parts = {
        "weights": rng.dirichlet(np.full(count, 3.0)),
        "means": rng.normal(size=(count, d)),
        "covariances": roots @ roots.transpose(0, 2, 1) + 0.25 * deviation**2 * np.eye(d),
    }
    return SimpleNamespace(**{name: torch.from_numpy(part) for name, part in parts.items()})


def grid25() -> SimpleNamespace:
    """25 modes on a square of unit variance, far narrower than their distance."""
    side = np.linspace(-np.sqrt(2), np.sqrt(2), 5)
    means = np.array([(a, b) for a in side for b in side])
    covariances = np.tile(0.08**2 * np.eye(2), (25, 1, 1))
    parts = {"weights": np.full(25, 0.04), "means": means, "covariances": covariances}
    return SimpleNamespace(**{name: torch.from_numpy(part) for name, part in parts.items()})


def ready(net: Any) -> DiffusionModel:
    return DiffusionModel(Known(), net)


def draw(net: Any, n: int, seed: int) -> Tensor:
    """Samples [n, d] as samplers make them."""
    rng = np.random.default_rng(seed)
    which = rng.choice(len(net.weights), size=n, p=net.weights.numpy())
    roots = np.linalg.cholesky(net.covariances.numpy())
    noise = rng.normal(size=(n, net.means.shape[1], 1))
    return torch.from_numpy(net.means.numpy()[which] + (roots[which] @ noise)[..., 0]).float()


def moments(net: Any) -> tuple[Tensor, Tensor]:
    mean = sum(w * m for w, m in zip(net.weights, net.means, strict=True))
    second = sum(w * (c + torch.outer(m, m)) for w, m, c in zip(net.weights, net.means, net.covariances, strict=True))
    return mean, second - torch.outer(mean, mean)


def densities(net: Any, x: Any) -> Any:
    """Weight times density of each component, [n, k]."""
    columns = [
        float(w) * scipy.stats.multivariate_normal(m.numpy(), c.numpy()).pdf(x).reshape(len(x))
        for w, m, c in zip(net.weights, net.means, net.covariances, strict=True)
    ]
    return np.stack(columns, 1)


def density(net: Any, x: Any) -> Any:
    return densities(net, x).sum(1)


def generator(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)
