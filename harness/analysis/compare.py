"""Comparison of two sets of scores without a suite, by the same statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.verdicts import finite
from harness.errors import BenchError, one_line
from harness.results import Comparison, IntervalKind, Needed, Reason, ReasonKind, Verdict
from harness.statistics.paired import Difference, Sample, difference, needed, same

SHOWN = 80
"""Letters of a value in a message."""


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    examples: ArrayLike | None = None,
    higher_is_better: bool = True,
    margin: float | None = None,
    level: float = 0.95,
) -> Comparison:
    """Compare the scores `a` with the baseline `b`, paired: one per seed [s], or per seed and example [s, m].

    Scores by example carry both the seeds and the finite test set in the interval; `examples` [s, m] are the numbers of
    the examples where seeds are tested on different ones, else every seed has the same. With a `margin`, in the unit of
    the scores, a difference shown to be within it is equivalent. `level` is that of the interval and the tests. Seeds
    whose score is not finite in one of the two are left out, and `why` counts them. Raises BenchError for what is no
    number, shapes that do not pair, no finite pair, and a level outside (0, 1).
    """
    one, other = _numbers("a", a), _numbers("b", b)
    if one.shape != other.shape or one.ndim not in (1, 2) or not one.size:
        raise BenchError(
            f"compare: expected two arrays [s] or [s, m] of one shape, got {[*one.shape]} and {[*other.shape]}"
        )
    if not 0 < level < 1:
        raise BenchError(f"compare: level must be between 0 and 1, not {level}")
    found = difference(_sample(one, examples), _sample(other, examples), level=level)
    if not found.pairs:
        raise BenchError("compare: no seed has a finite score in both")
    judged = found.p is not None and found.kind != "examples"
    alpha = 1 - level
    verdict = _verdict(found, alpha, higher_is_better, margin) if judged else None
    wanted = needed(found, alpha) if verdict is Verdict.UNDECIDED else None
    decided = Needed(0, 0) if verdict else Needed(None, None)
    return Comparison(
        baseline="b",
        difference=found.difference,
        low=finite(found.low),
        high=finite(found.high),
        interval=IntervalKind(found.kind),
        p=None if found.identical or not judged else found.p,
        p_holm=None if found.identical or not judged else found.p,
        family=1,
        verdict=verdict,
        needed=Needed(wanted.seeds, wanted.examples) if wanted else decided,
        why=_why(found, judged),
    )


def _numbers(name: str, scores: ArrayLike) -> NDArray[np.float64]:
    """Return scores as an array. Raises BenchError with the first that is no number."""
    try:
        return np.asarray(scores, float)
    except (TypeError, ValueError, RuntimeError) as error:  # the last for a tensor with a gradient
        each = scores if isinstance(scores, (list, tuple)) else []
        wrong = [score for score in each if not _is_number(score)]
        what = one_line(repr(wrong[0]), SHOWN) if wrong else f"something else: {one_line(str(error))}"
        raise BenchError(f"compare: {name}: expected numbers, got {what}") from None


def _is_number(score: object) -> bool:
    try:
        np.asarray(score, float)
    except (TypeError, ValueError, RuntimeError):
        return False
    return True


def _why(found: Difference, judged: bool) -> Reason | None:
    if not judged:
        return Reason(ReasonKind.ONE_PAIR)
    if found.dropped:
        return Reason(ReasonKind.DROPPED, count=found.dropped, total=found.pairs + found.dropped)
    return None


def _sample(scores: np.ndarray[tuple[int, ...], np.dtype[np.float64]], examples: ArrayLike | None) -> Sample:
    if scores.ndim == 1:
        return Sample(scores)
    numbers = np.broadcast_to(np.arange(scores.shape[1]), scores.shape) if examples is None else np.asarray(examples)
    if numbers.shape != scores.shape:
        raise BenchError(f"compare: examples {[*numbers.shape]} do not fit scores {[*scores.shape]}")
    return Sample(scores.mean(1), (scores, numbers.astype(np.int64)))


def _verdict(found: Difference, alpha: float, higher_is_better: bool, margin: float | None) -> Verdict:
    if found.identical:
        return Verdict.IDENTICAL
    equal = same(found, margin) if margin is not None else None
    if equal is not None and equal <= alpha:
        return Verdict.EQUIVALENT
    if found.p is None or found.p > alpha:
        return Verdict.UNDECIDED
    return Verdict.BETTER if (found.difference > 0) == higher_is_better else Verdict.WORSE
