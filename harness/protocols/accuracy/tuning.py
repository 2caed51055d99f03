"""Tuning: the blocks of lanes in which trials are trained, and the choice of a trial."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from harness.fields import Json

Trial = Mapping[str, Json]


def blocks(trials: Sequence[Trial], seeds: int, width: int) -> Iterator[list[tuple[int, int]]]:
    """Yield (trial, seed) lanes in blocks of at most `width`; trials in one block differ only in lr.

    Tuning seeds are the negative numbers -1, -2, ..., so that they are never seeds of a comparison.
    """
    lanes = [(trial, -1 - k) for trial in _by_field(trials) for k in range(seeds)]
    for _, group in itertools.groupby(lanes, key=lambda lane: _without_lr(trials[lane[0]])):
        some = list(group)
        yield from (some[start : start + width] for start in range(0, len(some), width))


def _by_field(trials: Sequence[Trial]) -> list[int]:
    """Return the numbers of the trials, those that differ only in lr next to each other."""
    first = [next(k for k, other in enumerate(trials) if _without_lr(other) == _without_lr(one)) for one in trials]
    return sorted(range(len(trials)), key=first.__getitem__)


def _without_lr(trial: Trial) -> list[tuple[str, Json]]:
    return sorted((key, value) for key, value in trial.items() if key != "lr")


def chosen(trials: Sequence[Trial], scores: Sequence[Sequence[float]], higher_is_better: bool) -> dict[str, object]:
    """Return the trial with the best mean score, the first of equals; diverged trials come last. All means are kept."""
    means = [sum(some) / len(some) for some in scores]
    sign = 1 if higher_is_better else -1
    ranked = [sign * mean if mean == mean else float("-inf") for mean in means]
    best = max(range(len(trials)), key=ranked.__getitem__)
    kept = [{**t, "score": m if math.isfinite(m) else None} for t, m in zip(trials, means, strict=True)]
    return {"tuned": trials[best], "trials": kept}
