"""The integration that judges transforms, against closed forms of two classes under noise with bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from harness.protocols.transform.reference import Noise, probability


def laplace(d: float) -> float:
    """The difference of two exponential draws has a Laplace distribution, whatever their sign."""
    return 1 - math.exp(-d) / 2


def triangle(d: float) -> float:
    """The difference of two uniform draws has a triangular one."""
    return 1 - max(0.0, 1 - d) ** 2 / 2


@pytest.mark.parametrize(
    ("noise", "known"),
    [(stats.genextreme(1), laplace), (stats.expon(), laplace), (stats.uniform(), triangle)],
    ids=["negative exponential", "exponential", "uniform"],
)
@pytest.mark.parametrize("d", [0.0, 1e-3, 0.3, 0.9, 2.5])
def test_two_classes_under_bounded_noise(noise: Noise, known: Callable[[float], float], d: float) -> None:
    """Where one class reaches the bound the integrand has a kink; integrated across, errors were up to 2e-6."""
    logits = np.array([d, 0.0])
    assert probability(noise, logits, 0) == pytest.approx(known(d), abs=1e-13)
    assert probability(noise, logits, 1) == pytest.approx(1 - known(d), abs=1e-13)
