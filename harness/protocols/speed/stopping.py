"""When interleaved timing is warm, and when it may stop."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from harness.kinds.evaluation import StoppingDecision
from harness.machine import gpu, weaknesses
from harness.results.statements import StopReason

Notes = Mapping[str, Sequence[float | None]]

AGREE, WINDOW = 0.05, 3
"""Warm is what took the same time, within this share, in so many blocks, for all contenders at once."""
WARM = 0.2
"""The share of the budget after which the wait for that ends."""
LEAST, FIRST = 14, 20
"""The fewest blocks in which a sign test decides 400 comparisons, and the fewest that are stopped at as precise."""
LOOKS = frozenset(round(FIRST * 1.25**k) for k in range(50))
"""After so many blocks precision is looked at: looking after every one would find a lucky one too often."""


class StoppingRule:
    """When the timing of one problem may stop; remembers when all contenders were warm, which `fresh` processes are.

    `half_width` is that of the 95 % interval of the logarithm of every ratio to the first contender; `budget` is in
    seconds for each contender.
    """

    def __init__(
        self, target_half_width: float, budget: float, cores: int, gpu: bool = False, fresh: bool = False
    ) -> None:
        self._half_width, self._budget, self._cores, self._gpu = target_half_width, budget, cores, gpu
        self._warm: int | None = 0 if fresh else None

    def should_stop(self, blocks: Sequence[Sequence[Notes]], spent: float) -> StoppingDecision:
        """See `harness.CellRunner.should_stop`: every note has "seconds" of a call, and what the machine did."""
        budget = self._budget * len(blocks[0])
        times = [[float(note["seconds"][0] or math.nan) for note in block] for block in blocks]
        if self._warm is None:
            agree = len(times) >= WINDOW and all(map(_agree, zip(*times[-WINDOW:], strict=True)))
            self._warm = len(times) if agree or spent > WARM * budget else None
            return StoppingDecision(len(times))
        stop = self._stop(times[self._warm :], spent, budget)
        if stop is None:
            return StoppingDecision(self._warm)
        notes = [note for block in blocks[self._warm :] for note in block]
        bound = budget if stop is StopReason.BUDGET else self._half_width
        issues = weaknesses(notes, self._cores, gpu() if self._gpu else {})
        return StoppingDecision(self._warm, stop, bound, issues)

    def _stop(self, times: Sequence[Sequence[float]], spent: float, budget: float) -> StopReason | None:
        if spent > budget and len(times) >= LEAST:
            return StopReason.BUDGET
        if len(times) not in LOOKS or len(times[0]) < 2:
            return None
        widest = max(target_half_width([math.log(one[k] / one[0]) for one in times]) for k in range(1, len(times[0])))
        return StopReason.PRECISE if widest <= self._half_width else None


def target_half_width(logs: Sequence[float]) -> float:
    """Half of the 95 % interval of a mean trimmed by a fifth at each end (Yuen, 1974), in the normal limit."""
    cut, inner = len(logs) // 5, sorted(logs)
    winsorized = [min(max(log, inner[cut]), inner[-cut - 1]) for log in inner]
    return 1.96 * statistics.stdev(winsorized) / (0.6 * math.sqrt(len(logs)))


def _agree(times: Sequence[float]) -> bool:
    return max(times) - min(times) <= AGREE * min(times)
