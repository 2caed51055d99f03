"""The engine `local`: cells run on this machine, started by the driver's own fork server."""

from __future__ import annotations

import os
from collections.abc import Sequence

from harness.engines import Demands, Engine, Place
from harness.hookspecs import hookimpl
from harness.machine import cores
from harness.worker.child import Child


class LocalPlace(Place):
    """Room for a cell on this machine; with a `gpu` its processes see that one alone."""

    def __init__(self, demands: Demands, gpu: str | None = None) -> None:
        self._server, self.results, self.gpu = demands.server, demands.results.resolve(), gpu

    def start(self, log: str, *, training: bool = False, memory: int | None = None, grouped: bool = False) -> Child:
        """Return a new child of the fork server."""
        return self._server.start(self.results / log, training=training, memory=memory, grouped=grouped)

    def bring(self, name: str) -> None:
        """Do nothing: the folder is the driver's own."""

    def fetch(self, name: str) -> None:
        """Do nothing: the folder is the driver's own."""


class Local(Engine):
    """This machine: one cell for each of its GPUs, or as many as its cores and its memory hold, and at least one."""

    is_remote = False

    def places(self) -> Sequence[LocalPlace]:
        """Return as many places as cells run at once; they share GPUs in turn where they are more."""
        asked, gpus = self.demands, self._gpus()
        count = 1 if asked.alone else asked.jobs or len(gpus) or self._fitting()
        return [LocalPlace(asked, gpus[number % len(gpus)] if gpus else None) for number in range(count)]

    def stop(self) -> None:
        """End the children and the fork server."""
        self.demands.server.stop()

    def close(self) -> None:
        """Do nothing: the fork server serves the driver too."""

    def _gpus(self) -> list[str]:
        """Return the GPUs of every place: as many for each as a cell takes, all of them where there are fewer."""
        gpus, size = self.demands.gpus, max(1, self.demands.each.gpus or 0)
        whole = [",".join(gpus[start : start + size]) for start in range(0, len(gpus) - size + 1, size)]
        return whole or [",".join(gpus)] * bool(gpus)

    def _fitting(self) -> int:
        each = self.demands.each
        by_cores = cores() // (each.cpus or 1)
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
        return max(1, min(by_cores, there // each.memory) if each.memory else by_cores)


@hookimpl
def engines() -> dict[str, type[Engine]]:
    """Return this engine."""
    return {"local": Local}
