"""Grid even in the log-SNR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stock.grids._levels import Levels

from harness import Grid, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class LogSNR(Levels):
    """Even in log(A_t / B_t), from its value at T to that at 1 (Lu et al., 2022, section 3); real times."""

    def levels(self, high: Tensor, low: Tensor, share: Tensor) -> Tensor:
        """Levels at shares of the way: their logarithm is minus half the log-SNR."""
        return high * (low / high) ** share


@hookimpl
def components() -> list[type[Grid]]:
    """What this file brings."""
    return [LogSNR]
