"""Processes and threads that a cell starts and leaves behind."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from tests.faults.table import becomes

Seeds = Sequence[int]


def _forked(work: Callable[[], object]) -> int:
    """Do something in a forked child, which then ends."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def _hang() -> None:
    time.sleep(600)


def _leave(work: Callable[[], object]) -> None:
    """Do something in a process whose parent ends at once."""
    os.waitpid(_forked(lambda: _forked(work)), 0)


@becomes("ok")
def fork_and_both_return(seeds: Seeds) -> None:
    os.fork()


@becomes("ok")
def fork_and_the_child_hangs(seeds: Seeds) -> None:
    _forked(_hang)


@becomes("ok")
def fork_and_the_child_exits(seeds: Seeds) -> None:
    if os.fork() == 0:
        sys.exit(9)


@becomes("ok")
def fork_and_the_child_raises(seeds: Seeds) -> None:
    if os.fork() == 0:
        raise ValueError("in the child")


@becomes("ok")
def zombie(seeds: Seeds) -> None:
    _forked(lambda: None)
    time.sleep(0.05)


@becomes("crashed", r"the process ended by itself with exit code 6$")
def the_parent_exits_and_the_child_goes_on(seeds: Seeds) -> None:
    if os.fork():
        os._exit(6)
    time.sleep(600)


@becomes("ok")
def grandchild_with_setsid(seeds: Seeds) -> None:
    _forked(lambda: (os.setsid(), _hang()))


@becomes("ok")
def double_fork(seeds: Seeds) -> None:
    _leave(_hang)


@becomes("ok")
def daemon(seeds: Seeds) -> None:
    """A double fork with sessions of their own, as daemons are started, that hears no signal."""

    def work() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        os.setsid()
        _leave(lambda: (os.setsid(), _hang()))

    os.waitpid(_forked(work), 0)


@becomes("crashed", r"killed by SIGSEGV$")
def daemon_and_a_crash(seeds: Seeds) -> None:
    daemon(seeds)
    ctypes.string_at(0)


@becomes("timeout", r"no answer within \d")
def daemon_and_no_answer(seeds: Seeds) -> None:
    daemon(seeds)
    _hang()


@becomes("failed", r"ValueError: after the daemon")
def daemon_and_an_exception(seeds: Seeds) -> None:
    daemon(seeds)
    raise ValueError("after the daemon")


@becomes("crashed", r"killed by SIGKILL$")
def daemon_and_no_subreaper(seeds: Seeds) -> None:
    """What it leaves is adopted by the process above."""
    ctypes.CDLL(None).prctl(36, 0)
    daemon(seeds)
    os.kill(os.getpid(), signal.SIGKILL)


@becomes("crashed", r"the fork server was killed and took it along$", alone=True)
def daemon_and_the_end_of_the_server(seeds: Seeds) -> None:
    daemon(seeds)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


@becomes("ok")
def stopped_grandchild(seeds: Seeds) -> None:
    pid = _forked(lambda: (os.setsid(), _hang()))
    os.kill(pid, signal.SIGSTOP)


@becomes("ok")
def forty_children(seeds: Seeds) -> None:
    for _ in range(40):
        _forked(_hang)


@becomes("ok")
def programs_left_running(seeds: Seeds) -> None:
    for own in (False, True):
        subprocess.Popen(["sleep", "600"], start_new_session=own)


@becomes("ok")
def shell_in_the_background(seeds: Seeds) -> None:
    subprocess.run("(sleep 600 &) ; setsid sleep 600 &", shell=True, check=True)


@becomes("ok")
def multiprocessing_worker(seeds: Seeds) -> None:
    multiprocessing.get_context("fork").Process(target=_hang).start()


@becomes("ok")
def successors(seeds: Seeds) -> None:
    """A process that starts its successor and ends, again and again, each in a session of its own."""

    def work() -> None:
        while True:
            if os.fork():
                os._exit(0)
            os.setsid()

    _forked(work)
    time.sleep(0.1)


@becomes("ok")
def leaked_thread(seeds: Seeds) -> None:
    threading.Thread(target=_hang).start()


@becomes("ok")
def five_hundred_threads(seeds: Seeds) -> None:
    for _ in range(500):
        threading.Thread(target=_hang, daemon=True).start()


@becomes("ok")
def thread_that_prints(seeds: Seeds) -> None:
    def work() -> None:
        while True:
            print("still here", flush=True)
            time.sleep(0.001)

    threading.Thread(target=work, daemon=True).start()


@becomes("ok")
def thread_that_raises(seeds: Seeds) -> None:
    def work() -> None:
        raise ValueError("in a thread")

    threading.Thread(target=work).start()


@becomes("ok")
def thread_that_exits(seeds: Seeds) -> None:
    threading.Thread(target=sys.exit, args=[3]).start()


@becomes("ok")
def thread_that_forks(seeds: Seeds) -> None:
    thread = threading.Thread(target=_forked, args=[_hang])
    thread.start()
    thread.join()


@becomes("timeout", r"no answer within \d")
def deadlock(seeds: Seeds) -> None:
    lock = threading.Lock()
    with lock, lock:
        pass


@becomes("timeout", r"no answer within \d")
def waits_for_a_thread(seeds: Seeds) -> None:
    thread = threading.Thread(target=_hang)
    thread.start()
    thread.join()


@becomes("timeout", r"no answer within \d")
def waits_for_a_program(seeds: Seeds) -> None:
    subprocess.run(["sleep", "600"], check=True)
