"""Argmax under reverse Gumbel noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Transform, hookimpl

from . import _reverse_gumbel
from ._noise import Noise

if TYPE_CHECKING:
    from ._law import Law


class ReverseGumbel(Noise):
    """Probability that each class wins under negated Gumbel noise.

    P(argmax_j (logit_j + scale * noise_j) = i) for independent noise that is minus Gumbel noise. Logits [..., n] ->
    probabilities [..., n], softmax for two classes but not for more. With m = logits / scale, p_i is the sum over the
    sets S of other classes of (-1)^|S| / (1 + sum_{j in S} exp(m_i - m_j)), which cancels, so it is computed as an
    integral. `log` is accurate for classes up to 300 scales below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The distribution of a negated standard Gumbel variable."""
        return _reverse_gumbel.ReverseGumbel()

    def reference_noise(self) -> Any:
        """Noise distribution, for an independent reference."""
        from scipy import stats

        return stats.gumbel_l(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """The component classes of this module."""
    return [ReverseGumbel]
