"""Mixtures of normal distributions, whose diffusion is known in closed form."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from harness import Denoiser, Schedule, named

if TYPE_CHECKING:
    from torch import Generator, Tensor

ROWS = 64
"""Batches are padded to a multiple of this: matrix products of other sizes round the last rows differently."""


class Law(NamedTuple):
    """A mixture of k components in d dimensions, float64.

    Each has axes along which its coordinates are independent.
    """

    weights: Tensor
    """Weights [k], adding up to 1."""
    means: Tensor
    """Means [k, d]."""
    centers: Tensor
    """Means along the axes [k, d]."""
    spreads: Tensor
    """Variances along the axes [k, d]."""
    axes: Tensor | None
    """Axes as columns [d, k * d], component after component; None where they are those of the space."""

    @property
    def covariances(self) -> Tensor:
        """Covariances [k, d, d]."""
        return self.covariance(torch.eye(len(self.weights)).to(self.weights), self.spreads[None])

    def to(self, device: str) -> Law:
        """The same mixture on a device."""
        return Law(*(None if part is None else part.to(device) for part in self))  # type: ignore[arg-type]

    def along(self, x: Tensor) -> Tensor:
        """Coordinates of points [b, d] along the axes of every component [b, k or 1, d]."""
        return x[:, None] if self.axes is None else (x @ self.axes).unflatten(1, self.means.shape)

    def back(self, along: Tensor) -> Tensor:
        """Sum [b, d] of the points with coordinates [b, k, d] along the axes of every component."""
        return along.sum(1) if self.axes is None else along.flatten(1) @ self.axes.T

    def each(self, along: Tensor) -> Tensor:
        """Points [b, k, d] with coordinates [b, k, d] along the axes of every component."""
        if self.axes is None:
            return along
        return torch.einsum("bke,ike->bki", along, self.axes.unflatten(1, self.means.shape))

    def of(self, chosen: Tensor, along: Tensor) -> Tensor:
        """Points [b, d] with coordinates [b, d] along the axes of the component [b]."""
        wide = along.new_zeros(len(along), *self.means.shape)
        wide[torch.arange(len(along), device=along.device), chosen] = along
        return self.back(wide)

    def covariance(self, shares: Tensor, spreads: Tensor) -> Tensor:
        """Mean over the components, weighted by `shares` [b, k], of covariances with `spreads` [b or 1, k, d]."""
        if self.axes is None:
            return torch.diag_embed((shares[..., None] * spreads).sum(1))
        axes = self.axes.unflatten(1, self.means.shape)
        covariances = torch.einsum("ike,tke,jke->tkij", axes, spreads, axes)
        grouped = shares.unflatten(0, (len(spreads), -1))
        return torch.einsum("tbk,tkij->tbij", grouped, covariances).flatten(0, 1)


def mixture(weights: Tensor, means: Tensor, covariances: Tensor) -> Law:
    """A mixture with weights [k], means [k, d] and covariances [k, d, d], or isotropic ones with variances [k]."""
    weights, means, covariances = (part.double() for part in (weights, means, covariances))
    weights = weights / weights.sum()
    if covariances.ndim == 1:
        return Law(weights, means, means, covariances[:, None].expand_as(means), None)
    spreads, axes = torch.linalg.eigh(covariances)
    centers = (means[:, None] @ axes)[:, 0]
    return Law(weights, means, centers, spreads.clamp(min=0), axes.transpose(0, 1).flatten(1))


class Given(NamedTuple):
    """The posterior of x_0 given x_t, again a mixture."""

    shares: Tensor
    """Weights [b, k]."""
    centers: Tensor
    """Means along the axes [b, k, d]."""
    spreads: Tensor
    """Variances along the axes [b or 1, k, d]."""


def log_joint(law: Law, off: Tensor, variances: Tensor) -> Tensor:
    """Logarithm [b, k] of weight times density, `off` [b, k, d] from the center along axes with such variances."""
    squares = (off.square() / variances).sum(-1) + (2 * math.pi * variances).log().sum(-1)
    return law.weights.log() - squares / 2


def given(law: Law, x: Tensor, kept: Tensor, labels: Tensor | None = None) -> Given:
    """Posterior of x_0 given x_t [b, d] and A_t [b or 1]; given its component too where `labels` [b] name one."""
    kept = kept[:, None, None]
    variances = kept * law.spreads + (1 - kept)
    off = law.along(x) - kept.sqrt() * law.centers
    gain = law.spreads / variances
    joint = log_joint(law, off, variances)
    if labels is not None:
        others = (labels[:, None] != torch.arange(len(law.weights), device=x.device)) & (labels < len(law.weights))[
            :, None
        ]
        joint = joint.masked_fill(others, -torch.inf)
    shares = joint.softmax(-1)
    return Given(shares, law.centers + kept.sqrt() * gain * off, (1 - kept) * gain)


class Mixture(Denoiser):
    """A mixture of normal distributions, whose best prediction of the noise is known exactly.

    Everything is computed in float64 and returned in the type of x. The prediction is v, from which x_0 and eps both
    follow without cancellation at either end of time.
    """

    prediction_type = "v_prediction"
    schedule: Schedule = named("linear")

    @abstractmethod
    def law(self) -> Law:
        """The mixture, on the CPU."""

    def load(self, device: str) -> Law:
        """The mixture on a device."""
        return self.law().to(device)

    def predict(self, net: Law, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Prediction v = (sqrt(A_t) x_t - E[x_0 | x_t]) / sqrt(B_t), [b, *shape]; of a component by its label."""
        rows, kept, labels = self._rows(x, t, labels)
        post = given(net, rows, kept, labels)
        x0 = net.back(post.shares[..., None] * post.centers)
        kept = kept[:, None]
        return _like(x, (kept.sqrt() * rows - x0) / (1 - kept).sqrt())

    def sample(self, net: Law, n: int, generator: Generator) -> Tensor:
        """Independent data [n, *shape], float32, drawn on the device of the generator."""
        place: dict[str, Any] = {"generator": generator, "device": generator.device, "dtype": torch.float64}
        uniform = torch.rand(n, **place).to(net.means.device)
        noise = torch.randn(n, net.means.shape[1], **place).to(net.means.device)
        chosen = _chosen(net.weights.expand(n, -1), uniform)
        points: Tensor = net.of(chosen, net.centers[chosen] + net.spreads[chosen].sqrt() * noise)
        samples: Tensor = points.float().unflatten(1, self.shape)
        return samples

    def moments(self, net: Law) -> tuple[Tensor, Tensor]:
        """Mean [d] and covariance [d, d], float64."""
        mean = net.weights @ net.means
        off = (net.means - mean) * net.weights[:, None].sqrt()
        return mean, net.covariance(net.weights[None], net.spreads[None])[0] + off.T @ off

    def log_prob(self, net: Law, x: Tensor) -> Tensor | None:
        """Log density of data [b], nats; None where a component is degenerate."""
        if bool((net.spreads == 0).any()):
            return None
        rows = _padded(x.flatten(1).double())
        return log_joint(net, net.along(rows) - net.centers, net.spreads).logsumexp(-1)[: len(x)].to(x)

    def posterior_covariance(self, net: Law, x: Tensor, t: Tensor, labels: Tensor | None = None) -> Tensor:
        """Covariance Cov[x_0 | x_t] [b, d, d]: the remaining one within the components, and that between them."""
        post = given(net, *self._rows(x, t, labels))
        points, shares = net.each(post.centers), post.shares[..., None]
        off = (points - (shares * points).sum(1, keepdim=True)) * shares.sqrt()
        return (net.covariance(post.shares, post.spreads) + off.mT @ off)[: len(x)].to(x)

    def sample_posterior(
        self, net: Law, x: Tensor, t: Tensor, noise: Callable[..., Tensor], labels: Tensor | None = None
    ) -> Tensor:
        """Exact draws of x_0 given x_t: a component by its posterior weight, then a point of it.

        `noise(name, x)` is asked for normal draws like x by the names "component" and "point".
        """
        post = given(net, *self._rows(x, t, labels))
        level = noise("component", x.flatten(1)[:, :1])[:, 0].double()
        chosen = _chosen(post.shares, torch.special.ndtr(_padded(level)))
        row = torch.arange(len(chosen), device=x.device)
        spreads = post.spreads.expand_as(post.centers)[row, chosen]
        deviates = _padded(noise("point", x).flatten(1).double())
        return _like(x, net.of(chosen, post.centers[row, chosen] + spreads.sqrt() * deviates))

    def _rows(self, x: Tensor, t: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """x_t as padded rows, A_t for each, or once where all times are equal, and the labels."""
        alike = bool((t == t[:1]).all())
        kept = self.schedule.alpha_bar(t[:1] if alike else _padded(t))
        return _padded(x.flatten(1).double()), kept, None if labels is None else _padded(labels)


def _padded(rows: Tensor) -> Tensor:
    """Rows padded to the next multiple of `ROWS` by repeating the last one."""
    return rows[torch.arange(len(rows) + -len(rows) % ROWS, device=rows.device).clamp(max=len(rows) - 1)]


def _like(x: Tensor, rows: Tensor) -> Tensor:
    return rows[: len(x)].reshape(x.shape).to(x)


def _chosen(shares: Tensor, uniform: Tensor) -> Tensor:
    """Component [b] selected by a uniform number [b], with probabilities `shares` [b, k]."""
    return (shares.cumsum(-1) < uniform[:, None]).sum(-1).clamp(max=shares.shape[-1] - 1)
