"""Clocks: the time of a number of calls, on a processor and on a GPU, and the number of calls in a sample."""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator

import torch

Call = Callable[[], object]

SAMPLE = 5e-4
"""Least duration of a sample in seconds: long enough to hide the timer's cost, and shorter than a scheduler's turn, so
that other processes lengthen few samples and not all of them a little."""
TURN = 0.01
"""Seconds of samples in a block."""
SLOW = 10 * TURN
"""Duration in seconds from which a call counts as long."""
COUNT = 20
"""Largest number of samples in a block."""
LOOKS = 10
"""Number of samples whose minimum estimates the duration of a call."""
WARM, AGREE = 5, 0.05
"""Largest number of turns to warm up, and the share within which two agree."""
FLUSH = 256 * 2**20
"""Number of bytes written to empty a GPU's cache."""


class Wall:
    """The processor's clock."""

    def sample(self, call: Call, times: int) -> float:
        """Return the seconds of a number of calls together."""
        rounds = itertools.repeat(None, times)
        start = time.perf_counter_ns()
        for _ in rounds:
            call()
        return (time.perf_counter_ns() - start) * 1e-9

    def latency(self, call: Call) -> float:
        """Return the seconds from a call to its result."""
        return self.sample(call, 1)


class Events:
    """A GPU's own clock: events in its queue, so that neither launching a kernel nor waiting for it is counted.

    A spinning kernel blocks the queue while calls are added to it; otherwise the gaps between small kernels
    would be timed. With `flush` every call starts with an empty cache, and is timed alone.
    """

    def __init__(self, flush: bool = False) -> None:
        self._flush = torch.empty(FLUSH, dtype=torch.int8, device="cuda") if flush else None

    def sample(self, call: Call, times: int) -> float:
        """Return the GPU's seconds of a number of calls together."""
        if self._flush is not None:
            return sum(self._between(call, 1, self._flush) for _ in range(times))
        return self._between(call, times, None)

    def _between(self, call: Call, times: int, flush: torch.Tensor | None) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        if flush is not None:
            flush.zero_()
        torch.cuda._sleep(200_000 + 20_000 * times)  # cycles: about 10 microseconds for every launch
        start.record()
        for _ in range(times):
            call()
        end.record()
        torch.cuda.synchronize()
        return float(start.elapsed_time(end)) * 1e-3

    def latency(self, call: Call) -> float:
        """Return the seconds from a call to its result, as the caller sees it."""
        torch.cuda.synchronize()
        start = time.perf_counter_ns()
        call()
        torch.cuda.synchronize()
        return (time.perf_counter_ns() - start) * 1e-9


Clock = Wall | Events


def clock(device: str, flush: bool = False) -> Clock:
    """Return the clock of a device."""
    return Events(flush) if device == "cuda" else Wall()


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Disable garbage collection inside the context."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class TimedCall:
    """A call to be timed: `count` samples of `times` calls, so that samples of all calls last equally long.

    Longer samples are disturbed more often, which would bias the comparison. With one call to warm the caches they
    are `calls` calls in all. A long call is a sample by itself, and counts as warm once its duration is known.
    """

    def __init__(self, clock: Clock, call: Call) -> None:
        self._clock, self._call = clock, call
        call()
        times = 1
        while (least := self._least(times)) < SAMPLE / 4 and times < 2**24:
            times *= 2
        self._slow = least > SLOW
        self.times = max(1, round(SAMPLE / least * times))
        self.count = max(1, min(COUNT, round(TURN / (self.times * least / times))))
        self.calls = self.times * (self.count + (self.count > 1))

    def _least(self, times: int) -> float:
        """Return the shortest of a few samples, or the first alone if it is long."""
        with undisturbed():
            first = self._clock.sample(self._call, times)
            others = [self._clock.sample(self._call, times) for _ in range(LOOKS if first < TURN else 0)]
        return min([first, *others])

    def warm_up(self) -> None:
        """Repeat turns until two agree, up to a limit."""
        before = math.inf
        for _ in range(0 if self._slow else WARM):
            now = statistics.median(self.samples())
            if abs(now - before) <= AGREE * now or now * self.calls > SLOW:
                return
            before = now

    def samples(self) -> list[float]:
        """Return the seconds per call of every sample; short calls are preceded by one that warms the caches."""
        with undisturbed():
            if self.count > 1:
                self._clock.sample(self._call, self.times)
            return [self._clock.sample(self._call, self.times) / self.times for _ in range(self.count)]

    def latency(self) -> float:
        """Return the median of as many single calls as there are samples."""
        with undisturbed():
            return statistics.median(self._clock.latency(self._call) for _ in range(self.count))


def seconds(call: Call, device: str, blocks: int = 7) -> float:
    """Return the median time of a call over some blocks, for times that are not compared block by block."""
    turn = TimedCall(clock(device), call)
    return statistics.median(sample for _ in range(blocks) for sample in turn.samples())
