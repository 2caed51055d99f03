"""Stopping rule of interleaved timing: the end of the warm-up, and the end of the measurement."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from harness.kinds.evaluation import StoppingDecision
from harness.machine import gpu, weaknesses
from harness.results.statements import StopReason

Notes = Mapping[str, Sequence[float | None]]

AGREE, WINDOW = 0.05, 3
"""Warm-up ends once all contenders' times agree within this share in so many blocks."""
WARM = 0.2
"""Share of the budget after which the warm-up ends at the latest."""
LEAST, FIRST = 14, 20
"""Fewest blocks in which a sign test can decide 400 comparisons, and fewest blocks before stopping for precision."""
LOOKS = frozenset(round(FIRST * 1.25**k) for k in range(50))
"""Numbers of blocks at which precision is checked: checks after every block would stop too often by chance."""


class StoppingRule:
    """Rule to stop the timing of one problem; remembers the end of the warm-up, which `fresh` processes do not need.

    `target_half_width` is that of the 95 % interval of the logarithm of every ratio to the first contender; `budget` is
    in seconds for each contender.
    """

    def __init__(
        self, target_half_width: float, budget: float, cores: int, gpu: bool = False, fresh: bool = False
    ) -> None:
        self._half_width, self._budget, self._cores, self._gpu = target_half_width, budget, cores, gpu
        self._warm: int | None = 0 if fresh else None

    def should_stop(self, blocks: Sequence[Sequence[Notes]], spent: float) -> StoppingDecision:
        """Implement `harness.CellRunner.should_stop`: every note has "seconds" of a call, and the machine's records."""
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
        widest = max(half_width([math.log(one[k] / one[0]) for one in times]) for k in range(1, len(times[0])))
        return StopReason.PRECISE if widest <= self._half_width else None


def half_width(logs: Sequence[float]) -> float:
    """Return half of the 95 % interval of a mean trimmed by a fifth at each end (Yuen, 1974), in the normal limit."""
    cut, inner = len(logs) // 5, sorted(logs)
    winsorized = [min(max(log, inner[cut]), inner[-cut - 1]) for log in inner]
    return 1.96 * statistics.stdev(winsorized) / (0.6 * math.sqrt(len(logs)))


def _agree(times: Sequence[float]) -> bool:
    return max(times) - min(times) <= AGREE * min(times)
