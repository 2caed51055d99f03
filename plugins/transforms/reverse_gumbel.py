"""Argmax under reverse Gumbel noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stock.transforms import _reverse_gumbel
from harness.stock.transforms._noise import Noise

from harness import Transform, hookimpl

if TYPE_CHECKING:
    from harness.stock.transforms._laws import Law


class ReverseGumbel(Noise):
    """P(argmax_j (logit_j + scale * noise_j) = i) for independent noise that is minus Gumbel noise.

    [..., n] -> [..., n], softmax for two classes but not for more. With m = logits / scale, p_i is the sum over the
    sets S of other classes of (-1)^|S| / (1 + sum_{j in S} exp(m_i - m_j)), which cancels; computed as an integral.
    `log` is accurate for classes up to 300 scales below the best; further down it stays finite and too low.
    """

    def law(self) -> Law:
        """The distribution of minus a standard Gumbel variable."""
        return _reverse_gumbel.ReverseGumbel()

    def reference_noise(self) -> Any:
        """The noise, for an independent reference."""
        from scipy import stats

        return stats.gumbel_l(scale=self.scale)


@hookimpl
def components() -> list[type[Transform]]:
    """What this file brings."""
    return [ReverseGumbel]
