"""The smallest reverse variance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness import Variance, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class BetaTilde(Variance):
    """c = 0, as if x_t told x_0 exactly: right where the data is one point.

    DDPM then takes its step from t to s with the variance beta~_{t|s} (Ho et al., 2020, section 3.2).
    """

    def covariance(self, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor) -> float:
        """The number 0."""
        return 0.0


@hookimpl
def components() -> list[type[Variance]]:
    """What this file brings."""
    return [BetaTilde]
