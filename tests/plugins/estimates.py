"""Fitted variances in one mapping with their model, under "denoiser", as the tests pass them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def posterior_variance(variance: Any, given: Mapping[str, Any], *step: Any) -> Any:
    """The estimate for (x_t, t, s, eps)."""
    return variance.posterior_variance(given["denoiser"], _fitted(given), *step)


def summary(variance: Any, given: Mapping[str, Any]) -> Any:
    """The line for the report."""
    return variance.summary(given["denoiser"], _fitted(given))


def _fitted(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in given.items() if name != "denoiser"}
