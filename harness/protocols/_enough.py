"""When timing in lockstep is warm, and when it is enough."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from harness.machine import gpu, weaknesses
from harness.ruling import Ruling

Notes = Mapping[str, Sequence[float | None]]

AGREE, WINDOW = 0.05, 3
"""Warm is what took the same time, within this share, in so many blocks, everybody together."""
WARM = 0.2
"""The share of the budget after which nobody waits for that any longer."""
LEAST, FIRST = 14, 20
"""The fewest blocks in which a sign test decides 400 comparisons, and the fewest that are stopped at as precise."""
LOOKS = frozenset(round(FIRST * 1.25**k) for k in range(50))
"""After so many blocks precision is looked at: looking after every one would find a lucky one too often."""


class Enough:
    """Rules on the blocks of one problem; remembers when everybody was warm, which `fresh` processes are by themselves.

    `half_width` is that of the 95 % interval of the logarithm of every ratio to the first contender; `budget` is in
    seconds for each contender.
    """

    def __init__(self, half_width: float, budget: float, cores: int, gpu: bool = False, fresh: bool = False) -> None:
        self._half_width, self._budget, self._cores, self._gpu = half_width, budget, cores, gpu
        self._warm: int | None = 0 if fresh else None

    def rule(self, blocks: Sequence[Sequence[Notes]], spent: float) -> Ruling:
        """See `harness.exchange.Session.rule`: every note has "seconds" of a call, and what the machine did."""
        budget = self._budget * len(blocks[0])
        times = [[float(note["seconds"][0] or math.nan) for note in block] for block in blocks]
        if self._warm is None:
            agree = len(times) >= WINDOW and all(map(_agree, zip(*times[-WINDOW:], strict=True)))
            self._warm = len(times) if agree or spent > WARM * budget else None
            return Ruling(len(times))
        stop = self._stop(times[self._warm :], spent, budget)
        notes = [note for block in blocks[self._warm :] for note in block]
        return Ruling(self._warm, stop, weaknesses(notes, self._cores, gpu() if self._gpu else {}) if stop else ())

    def _stop(self, times: Sequence[Sequence[float]], spent: float, budget: float) -> str | None:
        if spent > budget and len(times) >= LEAST:
            return f"the budget of {budget:g} s was used"
        if len(times) not in LOOKS or len(times[0]) < 2:
            return None
        widest = max(half_width([math.log(one[k] / one[0]) for one in times]) for k in range(1, len(times[0])))
        return f"every ratio is known to ±{self._half_width:.1%}" if widest <= self._half_width else None


def half_width(logs: Sequence[float]) -> float:
    """Half of the 95 % interval of a mean trimmed by a fifth at each end (Yuen, 1974), in the normal limit."""
    cut, inner = len(logs) // 5, sorted(logs)
    winsorized = [min(max(log, inner[cut]), inner[-cut - 1]) for log in inner]
    return 1.96 * statistics.stdev(winsorized) / (0.6 * math.sqrt(len(logs)))


def _agree(times: Sequence[float]) -> bool:
    return max(times) - min(times) <= AGREE * min(times)
