"""Ends of the process: exits and signals, by itself or from a thread."""

from __future__ import annotations

import _thread
import ctypes
import os
import resource
import signal
import threading
import time
from collections.abc import Sequence

from tests.faults.table import becomes

Seeds = Sequence[int]


def _kill(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


@becomes("crashed", r"the process ended by itself with exit code 0$")
def exit_0(seeds: Seeds) -> None:
    os._exit(0)


@becomes("crashed", r"the process ended by itself with exit code 1$")
def exit_1(seeds: Seeds) -> None:
    os._exit(1)


@becomes("crashed", r"the process ended by itself with exit code 255$")
def exit_255(seeds: Seeds) -> None:
    os._exit(255)


@becomes("crashed", r"the process ended by itself with exit code 44$")
def exit_300(seeds: Seeds) -> None:
    os._exit(300)


@becomes("crashed", r"the process ended by itself with exit code 5$")
def exit_of_c(seeds: Seeds) -> None:
    ctypes.CDLL(None)._exit(5)


@becomes("crashed", r"the process ended by itself with exit code 3$")
def exit_in_a_thread(seeds: Seeds) -> None:
    threading.Timer(0.05, os._exit, [3]).start()
    time.sleep(60)


@becomes("crashed", r"killed by SIGABRT$")
def abort(seeds: Seeds) -> None:
    os.abort()


@becomes("crashed", r"killed by SIGSEGV$")
def segfault(seeds: Seeds) -> None:
    ctypes.string_at(0)


@becomes("crashed", r"killed by SIGSEGV$")
def segfault_in_a_thread(seeds: Seeds) -> None:
    threading.Thread(target=ctypes.string_at, args=[0]).start()
    time.sleep(60)


@becomes("crashed", r"killed by SIGKILL$")
def sigkill(seeds: Seeds) -> None:
    _kill(signal.SIGKILL)


@becomes("crashed", r"killed by SIGTERM$")
def sigterm(seeds: Seeds) -> None:
    _kill(signal.SIGTERM)


@becomes("crashed", r"killed by SIGHUP$")
def sighup(seeds: Seeds) -> None:
    _kill(signal.SIGHUP)


@becomes("crashed", r"killed by SIGQUIT$")
def sigquit(seeds: Seeds) -> None:
    _kill(signal.SIGQUIT)


@becomes("crashed", r"killed by SIGFPE$")
def sigfpe(seeds: Seeds) -> None:
    _kill(signal.SIGFPE)


@becomes("crashed", r"killed by SIGBUS$")
def sigbus(seeds: Seeds) -> None:
    _kill(signal.SIGBUS)


@becomes("crashed", r"killed by SIGUSR1$")
def sigusr1(seeds: Seeds) -> None:
    _kill(signal.SIGUSR1)


@becomes("crashed", r"killed by SIGTERM$")
def signal_to_the_group(seeds: Seeds) -> None:
    os.killpg(0, signal.SIGTERM)
    time.sleep(60)


@becomes("crashed", r"killed by signal 40$")
def real_time_signal(seeds: Seeds) -> None:
    _kill(signal.SIGRTMIN + 6)


@becomes("crashed", r"killed by SIGALRM$")
def alarm(seeds: Seeds) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(60)


@becomes("crashed", r"killed by SIGXCPU$")
def processor_time_used_up(seeds: Seeds) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (0, resource.RLIM_INFINITY))
    while True:
        pass


@becomes("timeout", r"no answer within \d")
def stops_itself(seeds: Seeds) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


@becomes("timeout", r"no answer within \d")
def ignores_sigterm_and_loops(seeds: Seeds) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(0.1)


@becomes("timeout", r"no answer within \d")
def blocks_every_signal(seeds: Seeds) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(600)


@becomes("timeout", r"no answer within \d")
def holds_the_interpreter(seeds: Seeds) -> None:
    ctypes.PyDLL(None).sleep(600)


@becomes("timeout", r"no answer within \d")
def catches_everything_and_goes_on(seeds: Seeds) -> None:
    while True:
        try:
            time.sleep(0.01)
            raise ValueError
        except BaseException:
            continue


@becomes("ok")
def sigpipe(seeds: Seeds) -> None:
    os.kill(os.getpid(), signal.SIGPIPE)


@becomes("ok")
def ctrl_c(seeds: Seeds) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    _thread.interrupt_main()


@becomes("ok")
def handlers_replaced(seeds: Seeds) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
