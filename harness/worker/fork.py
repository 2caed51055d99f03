"""Work in a forked copy of this process, so that every copy starts from the same state."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Callable
from typing import TypeVar

from harness.errors import described
from harness.worker.traces import carry, trace

T = TypeVar("T")
_exit = os._exit  # kept before any plugin is imported


def forked(work: Callable[[], T]) -> T:
    """Return the work's result, or raise its exception. If the copy dies, this process ends in the same way."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        with os.fdopen(write, "wb") as stream:
            stream.write(_tried(work))
        leave(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        os.kill(os.getpid(), -code)
    if not said:
        os._exit(code)
    answer: T
    answer, error, found = pickle.loads(said)
    if error is not None:
        carry(error, found)
        raise error
    return answer


def leave(code: int) -> None:
    """End this process at once: what it printed is written, nothing else is run, whatever a plugin did to `sys`."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    _exit(code)


def _tried(work: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps((work(), None, []))
    except BaseException as error:
        found = trace(error)
        try:
            said = pickle.dumps((None, error, found))
            pickle.loads(said)
        except BaseException:  # not every exception can be pickled, or made again
            return pickle.dumps((None, RuntimeError(described(error)), found))
        return said
