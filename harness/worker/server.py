"""Warm process from which every child is forked: torch is imported once, children start in milliseconds.

Run as `python -m harness.worker.server FD`. For every byte on the socket FD, which carries three descriptors
(conversation, log, status), one child is forked; its pid and later its exit status are written to `status`. The byte
TRAINING requests the imports of torch.optim first, which take seconds and are needed only for training. When the
driver is gone the socket closes, and every child's process group is killed. Plugins are never imported here: one that
starts threads at import would break the children, since no thread survives a fork.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import traceback

from harness.processes import adopt_orphans, end_children
from harness.worker.fork import leave

PR_SET_PDEATHSIG = 1
PLAIN, TRAINING = b"p", b"t"


def main(descriptor: int) -> None:
    """Serve until the driver closes its end."""
    adopt_orphans()  # of cells that ended
    _warm_up()
    driver = socket.socket(fileno=descriptor)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver handles Ctrl-C
    children: dict[int, int] = {}
    while True:
        ready = select.select([driver.fileno(), wake_read], [], [])[0]
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(children)
        if driver.fileno() in ready:
            request, descriptors, _, _ = socket.recv_fds(driver, 1, 3)
            if not request:
                break
            if request == TRAINING:
                import torch._dynamo  # noqa: F401 - torch.optim imports it at its first step
            _fork(descriptors, children, [driver.fileno(), wake_read, wake_write])
    for pid in children:
        kill_group(pid)
    end_children()


def _warm_up() -> None:
    import torch

    torch.set_num_threads(1)
    import torch.func

    gc.collect()
    gc.freeze()  # a child's garbage collection then leaves the shared pages alone


def _fork(descriptors: list[int], children: dict[int, int], own: list[int]) -> None:
    conversation, log, status = descriptors
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for descriptor in [status, *own, *children.values()]:
                os.close(descriptor)
            _become_child(log)
            from harness.worker.handlers import converse

            converse(socket.socket(fileno=conversation))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            leave(code)
    os.close(conversation)
    os.close(log)
    children[pid] = status
    _tell(status, f"{pid}\n")


def _become_child(log: int) -> None:
    import ctypes

    os.setsid()
    adopt_orphans()  # of programs that it runs
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere the server's own end kills the group
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)


def _reap(children: dict[int, int]) -> None:
    for pid in list(children):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            kill_group(pid)  # grandchildren left behind
            descriptor = children.pop(pid)
            _tell(descriptor, f"{os.waitstatus_to_exitcode(status)}\n")
            os.close(descriptor)
            end_children(children)  # those with a session of their own


def _tell(descriptor: int, text: str) -> None:
    with contextlib.suppress(OSError):  # the driver may have stopped listening
        os.write(descriptor, text.encode())


def kill_group(pid: int) -> None:
    """Send SIGKILL to the process group of a child, if it still exists."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    main(int(sys.argv[1]))
