"""Feasibility of a plan of seeds and comparisons, before anything is measured."""

from __future__ import annotations

import math

HOPELESS = 10.0
"""Number of standard errors from which a plan is reported."""


def verdict_possible(seeds: int, family: int, kind: str = "both", level: float = 0.95) -> str | None:
    """Return the reason why no verdict is possible for these seeds and comparisons under Holm, or None.

    `kind` is as in `interval`.

    >>> verdict_possible(3, 12)
    '3 seeds and 12 comparisons: only a difference of 15.4 standard errors would be significant'
    """
    if family < 1:
        return "nothing is compared: the suite has no baseline, or no row beside it"
    if kind == "examples":
        return None
    if seeds < 2:
        what = "it says nothing about other seeds" if kind == "both" else "an interval over seeds needs two"
        return f"one seed: no verdict can be reached, {what}"
    distance = _quantile(seeds - 1, (1 - level) / family)
    if distance is None or distance < HOPELESS:
        return None
    only = f"only a difference of {distance:.3g} standard errors would be significant"
    return f"{seeds} seeds and {family} comparison{'s' * (family > 1)}: {only}"


def _quantile(df: int, alpha: float) -> float | None:
    """Return the two-sided quantile of Student's t if it has a closed form: for one and two degrees of freedom."""
    if df == 1:
        return 1 / math.tan(math.pi * alpha / 2)
    return (1 - alpha) * math.sqrt(2 / (alpha * (2 - alpha))) if df == 2 else None
