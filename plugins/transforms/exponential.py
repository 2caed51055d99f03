"""Argmax under exponential noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from harness import Transform, hookimpl

from ._argmax import Argmax, exponential
from ._own import Rule, own, slices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor


class Exponential(Argmax):
    """Probability that each class wins when exponential noise is added.

    The distribution of the argmax when Exp(1) noise times `scale` is added. Logits [..., n] -> probabilities [..., n]:
    p_i = r_i int_0^1 prod_{j != i} (1 - t r_j) dt with r_j = exp((logit_j - largest) / scale). Two classes at distance
    d >= 0: 1 - exp(-d) / 2. Also known as permute-and-flip (McKenna and Sheldon, 2020). Probabilities are 0 only by
    underflow, and `log` does not underflow.
    """

    reference = """
    @inproceedings{mckenna2020permute, author = {McKenna, Ryan and Sheldon, Daniel}, title = {Permute-and-Flip: A
      New Mechanism for Differentially Private Selection}, booktitle = {Advances in Neural Information
      Processing Systems}, year = {2020}}"""

    def log_of_standard(self, rows: Tensor) -> Tensor:
        """Log-probabilities by Gauss-Legendre quadrature in O(n) per node, to rounding."""
        return own(rows, Rule(_log, _pull, blocks=True))

    def draws(self, like: Tensor, generator: Generator | None) -> Tensor:
        """Draws of Exp(1) noise."""
        return exponential(like, generator)

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.expon(scale=self.scale)


def _legendre(nodes: int) -> tuple[list[float], list[float]]:
    """Gauss-Legendre nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (0.5 * (1 + x)).tolist(), (0.5 * w).tolist()


MOST = 24
LEGENDRE = tuple(_legendre(nodes) for nodes in range(1, MOST + 1))
"""Nodes built once at import: torch.compile could not follow their construction."""


def _panels(r: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Pieces of the integral over t: (t [..., q, 1], prod_j (1 - t r_j) dt [..., 1, q], 1 / (1 - t r) [..., q, n]).

    The integrand is a polynomial of degree n - 1, so ceil(n / 2) nodes on [0, 1] are exact. Where that is many: it
    decays at least as fast as exp(-t (sum r - 1)), so the part beyond `reach / sum r` is below rounding, and up to
    there it is as smooth as exp on [0, reach], for which few nodes are enough at any n.
    """
    most, reach = (MOST, 40.0) if r.dtype == torch.float64 else (12, 20.0)
    exact = (r.shape[-1] + 1) // 2
    u, w = (torch.tensor(part, dtype=r.dtype, device=r.device) for part in LEGENDRE[min(exact, most) - 1])
    end = torch.ones_like(r[..., :1]) if exact <= most else (reach / r.detach().sum(-1, keepdim=True)).clamp(max=1)
    for u_part, w_part in zip(slices(u, r), slices(w, r), strict=True):
        t = (end * u_part)[..., None]
        x = t * r[..., None, :]
        product = (-x).log1p().sum(-1).exp() * (end * w_part)
        yield t, product[..., None, :], 1 / (1 - x)


def _log(rows: Tensor) -> tuple[Tensor, Tensor]:
    integral = torch.zeros_like(rows)
    for _, product, rest in _panels(rows.exp()):
        integral += (product @ rest)[..., 0, :]
    return (rows + integral.log()).clamp(max=0.0), rows.new_empty(len(rows), 0)


def _pull(rows: Tensor, log_p: Tensor, _: Tensor, g: Tensor) -> Tensor:
    """Gradient: with a = r / (1 - t r), d p_i / d logit_k = -int t prod a_i a_k dt for k != i."""
    rows = rows - rows.amax(-1, keepdim=True)  # the limit of the integral moves with the largest logit
    r = rows.exp()
    h = g * (rows - log_p).masked_fill(log_p == -torch.inf, 0.0).exp()
    pair, result = torch.stack([r, h], -2), torch.zeros_like(rows)
    for t, product, rest in _panels(r):
        of_r, of_h = (((product * t.mT) * (pair @ rest.mT)) @ rest).unbind(-2)
        result = result + of_r * h - of_h * r
    return result


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [Exponential]
