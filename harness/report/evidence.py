"""A comparison in words: its size with the interval, the seeds that it is over, and what would decide it."""

from __future__ import annotations

import math

from harness.report.number_format import Estimate, told
from harness.report.words import about, singular
from harness.results import Comparison, IntervalKind, MetricInfo, Pooled, Run


def size(metric: MetricInfo, entry: Comparison | Pooled) -> str:
    """Return a difference, or a ratio, with its interval: `+0.0124 (0.0078 to 0.0169)`."""
    if entry.ratio is not None:
        ratio = entry.ratio
        middle, ends = told(Estimate(ratio.ratio or math.nan, ratio.low, ratio.high))
        return f"times {middle}{_interval(ends)}"
    width = (entry.high or 0.0) - (entry.low or 0.0)
    difference = entry.difference or 0.0
    shown = 0.0 if abs(difference) < 1e-9 * width else difference  # what rounding leaves of a difference of 0
    middle, ends = told(Estimate(shown, entry.low, entry.high), metric.unit, signed=True)
    return f"{middle}{_interval(ends)}"


def _interval(ends: str) -> str:
    return f" ({ends})" if ends else " (no interval)"


def fewer(run: Run, entry: Comparison) -> str:
    """Say over how many seeds a difference is, where it is over fewer than asked for."""
    if not entry.partial or entry.why is None or entry.why.count is None or entry.why.total is None:
        return ""
    return f", over {entry.why.total - entry.why.count} of {entry.why.total} {run.replicates}"


def decides(entry: Comparison, noun: str) -> str:
    """Describe what would decide a comparison if the observed difference is the true one; `noun` is seeds or blocks."""
    seeds, examples = entry.needed.seeds, entry.needed.examples
    if entry.p == 1 and seeds is None and examples is None:
        return "no difference was seen"
    if seeds is None and examples is None:
        also = " nor more test examples alone" if entry.interval is not IntervalKind.SEEDS else ""
        return f"{f'neither more {noun}' if also else f'no number of {noun}'}{also} would decide it"
    if seeds is None:
        return f"no number of {noun} decides it, about {about(examples or 0)} more test examples would"
    other = f" or {about(examples)} more test examples" if examples is not None else ""
    return f"about {about(seeds)} more {singular(noun) if seeds == 1 else noun}{other}"
