"""Control groups of the Linux kernel, by BenchExec: what runs in one cannot leave it, and its memory is limited."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Iterator
from typing import Any

from harness.errors import BenchError

PARTS = ("memory", "pids", "freezer")
"""Controllers that a group uses where there are any; without the first there is no group."""


class ControlGroup:
    """A fresh group, empty until a process joins it; at more than `memory` bytes the kernel ends a process in it.

    Raises BenchError if the machine makes none.
    """

    def __init__(self, memory: int | None = None) -> None:
        self._memory = memory
        with _errors():
            system = _system()
            self._group = system.create_fresh_child_cgroup({each for each in PARTS if each in system})
            if memory is not None:
                self._group.write_memory_limit(memory)

    def add(self, pid: int) -> None:
        """Move a process into the group, and with it all that it starts from then on."""
        with _errors():
            self._group.add_task(pid)

    def is_exhausted(self) -> bool:
        """Whether the kernel found no memory for the group within its limit."""
        if self._memory is None:
            return False
        with contextlib.suppress(OSError):
            killed = self._group.read_oom_kill_count()
            most = self._group.read_max_mem_usage()
            return bool(killed) or (killed is None and most is not None and most >= self._memory)
        return False

    def close(self) -> None:
        """Kill all that is in the group, and remove it."""
        with contextlib.suppress(OSError, SystemExit):
            self._group.kill_all_tasks()
            self._group.remove()


def problem() -> str:
    """Return why this machine has no control groups for cells; empty if it has."""
    try:
        ControlGroup(memory=1 << 30).close()
    except BenchError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Convert what BenchExec and the system raise to one line."""
    try:
        yield
    except ImportError:
        raise BenchError("control groups need the extra cgroups: pip install touchstone-bench[cgroups]") from None
    except OSError as error:
        raise BenchError(f"no control group can be made: {error.strerror or error}") from None
    except SystemExit as error:  # its way to say that the machine is not set up
        said = str(error.code).strip().split("\n")[0]
        raise BenchError(f"no control group can be made: {said}") from None


@functools.cache
def _system() -> Any:
    """The group of this process, as BenchExec finds or makes it. It writes to the log what is said here in one line."""
    logging.getLogger().addHandler(logging.NullHandler())  # else its first warning prints
    from benchexec.cgroups import Cgroups

    found = Cgroups.initialize()
    if "memory" not in found:
        who = "root" if os.geteuid() == 0 else "this user"
        raise OSError(f"the machine delegates no memory controller to {who}")
    return found
