"""Spacing even in the log-SNR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Spacing, hookimpl

from ._levels import Levels

if TYPE_CHECKING:
    from torch import Tensor


class LogSNR(Levels):
    """Evenly spaced in the log signal-to-noise ratio (Lu et al., 2022).

    Even in log(A_t / B_t), from its value at T to that at 1 (Lu et al., 2022, section 3); real times.
    """

    reference = """
    @inproceedings{lu2022dpmsolver, author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li,
      Chongxuan and Zhu, Jun}, title = {{DPM-Solver}: A Fast {ODE} Solver for Diffusion Probabilistic Model
      Sampling in Around 10 Steps}, booktitle = {Advances in Neural Information Processing Systems}, year =
      {2022}}"""

    def levels(self, high: Tensor, low: Tensor, share: Tensor) -> Tensor:
        """Levels at shares of the way: their logarithm is minus half the log-SNR."""
        return high * (low / high) ** share


@hookimpl
def components() -> list[type[Spacing]]:
    """The component classes of this module."""
    return [LogSNR]
