"""State of the interpreter and its libraries that a cell changes for everybody in its process."""

from __future__ import annotations

import atexit
import builtins
import gc
import io
import json
import locale
import logging
import os
import random
import socket
import sys
import threading
import time
import warnings
from collections.abc import Sequence
from typing import Any

from tests.faults.table import becomes

Seeds = Sequence[int]


def _nothing(*_: Any, **__: Any) -> Any:
    return None


@becomes("ok")
def json_replaced(seeds: Seeds) -> None:
    json.dumps = json.loads = json.dump = json.load = _nothing


@becomes("ok")
def print_replaced(seeds: Seeds) -> None:
    builtins.print = _nothing


@becomes("ok")
def open_replaced(seeds: Seeds) -> None:
    builtins.open = io.open = _nothing


@becomes("ok")
def clocks_replaced(seeds: Seeds) -> None:
    time.time = time.monotonic = lambda: 0.0


@becomes("failed", r"TypeError: ")
def clock_that_gives_text(seeds: Seeds) -> None:
    time.perf_counter = lambda: "noon"  # type: ignore[assignment, return-value]


@becomes("ok")
def streams_replaced(seeds: Seeds) -> None:
    sys.stdout = sys.stderr = sys.stdin = None  # type: ignore[assignment]


class _Wall(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("no more")

    def flush(self) -> None:
        raise OSError("no more")


@becomes("failed", r"ValueError: into the wall \(")
def streams_that_raise(seeds: Seeds) -> None:
    sys.stdout = sys.stderr = _Wall()
    raise ValueError("into the wall")


@becomes("ok")
def hooks_replaced(seeds: Seeds) -> None:
    sys.excepthook = threading.excepthook = sys.unraisablehook = sys.displayhook = _nothing  # type: ignore[assignment]


@becomes("ok")
def exit_replaced(seeds: Seeds) -> None:
    os._exit = _nothing


@becomes("ok")
def hangs_at_exit(seeds: Seeds) -> None:
    atexit.register(time.sleep, 600)


@becomes("ok")
def locale_changed(seeds: Seeds) -> None:
    locale.setlocale(locale.LC_ALL, "C")
    os.environ["LC_ALL"] = "xx_XX"


@becomes("ok")
def environment_emptied(seeds: Seeds) -> None:
    os.environ.clear()


@becomes("ok")
def path_emptied(seeds: Seeds) -> None:
    sys.path.clear()
    sys.path_importer_cache.clear()


@becomes("failed", r"BenchError: measure\(\) must return harness\.Measurements, not Measurements")
def modules_forgotten(seeds: Seeds) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("harness", "json", "tests")]:
        del sys.modules[name]


@becomes("failed", r"RecursionError: ")
def recursion_limit_low(seeds: Seeds) -> None:
    sys.setrecursionlimit(30)
    recursion_limit_low(seeds)


@becomes("ok")
def collector_off(seeds: Seeds) -> None:
    gc.disable()
    gc.set_threshold(0)
    gc.callbacks.append(_nothing)


@becomes("ok")
def trace_installed(seeds: Seeds) -> None:
    sys.settrace(lambda *_: None)
    threading.settrace(lambda *_: None)
    sys.setprofile(_nothing)


@becomes("ok")
def warnings_are_errors(seeds: Seeds) -> None:
    warnings.simplefilter("error")
    warnings.showwarning = _nothing


@becomes("ok")
def logging_to_everywhere(seeds: Seeds) -> None:
    logging.basicConfig(level=0, force=True)
    logging.getLogger().setLevel(0)
    logging.warning("a log")


@becomes("ok")
def seeds_of_everything(seeds: Seeds) -> None:
    import torch

    random.seed(0)
    torch.manual_seed(0)
    torch.set_rng_state(torch.get_rng_state())


@becomes("ok")
def torch_defaults_changed(seeds: Seeds) -> None:
    import torch

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(3)
    torch.set_grad_enabled(False)
    torch.set_printoptions(precision=1)


@becomes("ok")
def default_device_without_data(seeds: Seeds) -> None:
    import torch

    torch.set_default_device("meta")


@becomes("ok")
def priority_lowered(seeds: Seeds) -> None:
    os.nice(5)
    os.umask(0o777)


@becomes("crashed", r"the process ended by itself with exit code ")
def connection_replaced(seeds: Seeds) -> None:
    socket.socket.sendall = _nothing  # type: ignore[method-assign]
    socket.socket.recv = _nothing  # type: ignore[method-assign]


@becomes("ok")
def progress_that_is_no_number(seeds: Seeds) -> None:
    desk: Any = next(each for each in gc.get_objects() if type(each).__name__ == "Worker")
    for done, total in ((float("nan"), 1.0), (float("inf"), float("inf")), (-1.0, 1.0), (1.0, 0.0), (5.0, 1.0)):
        desk._reported = 0.0
        desk.report(done, total)
