"""Work in a forked copy of this process, so that every copy starts from the same state."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def forked(work: Callable[[], T]) -> T:
    """Return the work's result, or raise its exception. If the copy dies, this process ends in the same way."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        with os.fdopen(write, "wb") as stream:
            stream.write(_tried(work))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        said = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        os.kill(os.getpid(), -code)
    if not said:
        os._exit(code)
    answer: T
    answer, error = pickle.loads(said)
    if error is not None:
        raise error
    return answer


def _tried(work: Callable[[], object]) -> bytes:
    try:
        return pickle.dumps((work(), None))
    except BaseException as error:
        try:
            return pickle.dumps((None, error))
        except Exception:  # not every exception can be pickled
            return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
