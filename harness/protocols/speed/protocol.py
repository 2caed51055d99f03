"""The speed protocol: time components side by side, with a test of each difference and a check of each output."""

from __future__ import annotations

from harness.base import Component
from harness.errors import Skip
from harness.hookspecs import hookimpl
from harness.kinds.evaluation import CellContext, CellRunner
from harness.machine import cores
from harness.protocols.speed.session import Timing
from harness.protocols.speed.settings import SpeedSettings


class Speed(SpeedSettings):
    """Times components of one kind, interleaved in random order.

    A block is one turn for every contender. Threads keep their cores for a block and have others in the next; a process
    of one thread is new in every block.

    Inputs are generated once: `batch` rows of `n` classes, labels or points, in `dim` dimensions or of `dim` items;
    samplers take `steps`. Only contenders with the right output are ranked: within `tolerance` of the reference, which
    is the baseline with `match_reference`. A problem is measured until every ratio is known to `target_half_width` or
    the `budget`, in seconds for each contender, is used. On a GPU `flush_cache` empties the cache before every call.
    """

    def setup(self, case: CellContext) -> CellRunner:
        """Set up a turn. Raises Skip for too few cores, and for calls that the machine or torch does not support."""
        if self.threads > (here := cores()):
            raise Skip(f"{self.threads} threads on {here} core{'s' * (here > 1)}")
        if self.flush_cache and case.device == "cpu":
            raise Skip("flush_cache: a processor's caches cannot be emptied, those of a GPU can")
        return Timing(self, case)


@hookimpl
def components() -> list[type[Component]]:
    """Return the component classes of this module."""
    return [Speed]
