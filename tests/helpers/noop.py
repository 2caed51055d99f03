"""A protocol that costs nothing, for tests of what happens around it; losses that misbehave in every known way."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness import (
    CellContext,
    CellRunner,
    Dataset,
    Examples,
    Loss,
    Measurements,
    Metric,
    PositiveInt,
    Protocol,
    Skip,
    hookimpl,
)

Ways = Literal[
    "raise", "exit", "_exit", "segfault", "kill", "sleep", "hold_gil", "ignore_sigterm", "grandchild", "print",
    "grow", "child_grows", "endless_log", "half_frame", "huge_frame", "no_message", "other_answer", "flood", "patched_json", "chatter", "real_time_signal",
    "few", "nan", "unserialisable", "wrong_type", "not_values", "skip", "memory", "long_reason", "control_characters", "bench_error",
]  # fmt: skip


class Noop(Protocol):
    """The number of a seed is the loss's value plus a hundredth of the seed.

    Every measured block adds a line to the file that the environment variable BLOCKS names: loss, first seed, process.
    """

    block_size: PositiveInt = 4
    pause: float = 0.0

    required_kinds: ClassVar[Mapping[str, Any]] = {"loss": None, "dataset": {"name": "tiny"}}
    compared_kinds: ClassVar[Sequence[str]] = ("loss",)
    metric_inputs: ClassVar[Sequence[str]] = ("number",)

    def setup(self, case: CellContext) -> CellRunner:
        """Nothing to prepare but what a loss wants to do first."""
        loss: Any = case.components["loss"]
        if hasattr(loss, "prepare"):
            loss.prepare(case)
        return Blocks(self, case)


class Blocks(CellRunner):
    """Asks the loss for the number of each seed."""

    def __init__(self, settings: Noop, case: CellContext) -> None:
        self.block_size, self.pause, self.case = settings.block_size, settings.pause, case

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Any:
        loss: Any = self.case.components["loss"]
        time.sleep(self.pause)
        numbers = loss(seeds, self.case)
        if not isinstance(numbers, list):  # the loss answers in place of the runner
            return numbers
        if os.environ.get("BLOCKS"):
            with open(os.environ["BLOCKS"], "a") as stream:
                stream.write(f"{loss} {seeds[0]} {os.getpid()}\n")
        return Measurements(seeds=list(seeds), metrics=dict.fromkeys(self.case.metrics, numbers))


class Good(Loss):
    """Always works."""

    value: float = 1.0

    def __call__(self, seeds: Any, case: Any) -> Any:
        return [self.value + seed / 100 for seed in seeds]


class Bad(Loss):
    """Goes wrong in the way it is told to."""

    how: Ways = "raise"

    def prepare(self, case: Any) -> None:
        if self.how == "skip":
            raise Skip("this pair is impossible")

    def __call__(self, seeds: Any, case: Any) -> Any:
        return globals()[f"_{self.how.lstrip('_')}" if self.how != "exit" else "_system_exit"](seeds)


def _raise(seeds: Any) -> Any:
    raise ValueError("not today\nnor on the second line")


def _system_exit(seeds: Any) -> Any:
    sys.exit(0)


def _exit(seeds: Any) -> Any:
    os._exit(0)


def _segfault(seeds: Any) -> Any:
    ctypes.string_at(0)


def _kill(seeds: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def _sleep(seeds: Any) -> Any:
    time.sleep(600)


def _hold_gil(seeds: Any) -> Any:
    ctypes.PyDLL(None).sleep(600)


def _ignore_sigterm(seeds: Any) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(600)


def _grandchild(seeds: Any) -> Any:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with open(os.environ["GRANDCHILD"], "w") as stream:
        stream.write(str(child.pid))
    return [1.0 for _ in seeds]


def _print(seeds: Any) -> Any:
    for _ in range(10):
        print("x" * 2**20)
        print("y" * 2**20, file=sys.stderr)
    return [1.0 for _ in seeds]


def _grow(seeds: Any) -> Any:
    kept = []
    while True:
        kept.append(b"x" * 2**24)
        time.sleep(0.01)


def _child_grows(seeds: Any) -> Any:
    program = "import time; kept = [b'x' * 2**24 for _ in range(20)]; time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    time.sleep(600)


def _endless_log(seeds: Any) -> Any:
    os.write(1, b"the first line\n")
    piece = b"y" * 2**20
    for _ in range(64):
        os.write(1, piece)
    os.write(1, b"the last line\n")
    return [1.0 for _ in seeds]


def _send(data: bytes) -> None:
    """Write to the socket on which this process talks to the command."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                os.write(int(name), data)


def _half_frame(seeds: Any) -> Any:
    _send(b"\0\0\1")
    time.sleep(600)


def _huge_frame(seeds: Any) -> Any:
    _send((2**31).to_bytes(4, "big"))
    time.sleep(600)


def _no_message(seeds: Any) -> Any:
    _send((2).to_bytes(4, "big") + b"[]")
    time.sleep(600)


def _other_answer(seeds: Any) -> Any:
    data = b'{"id": 2, "answer": {"seeds": [0, 1, 2, 3]}}'
    _send(len(data).to_bytes(4, "big") + data)
    time.sleep(600)


def _flood(seeds: Any) -> Any:
    data = b'{"id": 2, "progress": 0.5}'
    while True:
        _send(len(data).to_bytes(4, "big") + data)


def _patched_json(seeds: Any) -> Any:
    json.dumps = lambda *_, **__: "null"
    return [1.0 for _ in seeds]


def _chatter(seeds: Any) -> Any:
    """A thread reports progress while the answer is sent, without an end."""
    import gc

    from harness.worker.handlers import Worker

    (desk,) = (each for each in gc.get_objects() if isinstance(each, Worker))

    def report() -> None:
        while True:
            desk._reported = 0.0
            desk.report(1, 2)

    threading.Thread(target=report, daemon=True).start()
    time.sleep(0.05)
    return [1.0 for _ in seeds]


def _real_time_signal(seeds: Any) -> Any:
    os.kill(os.getpid(), signal.SIGRTMIN + 6)
    time.sleep(60)


def _few(seeds: Any) -> Any:
    return [1.0]


def _nan(seeds: Any) -> Any:
    return [float("nan"), float("inf"), *(1.0 for _ in seeds[2:])]


def _unserialisable(seeds: Any) -> Any:
    return [object() for _ in seeds]


def _wrong_type(seeds: Any) -> Any:
    return ["high" for _ in seeds]


def _not_values(seeds: Any) -> Any:
    return "a text in place of values"


def _memory(seeds: Any) -> Any:
    import torch

    return torch.empty(2**46, dtype=torch.float64)


def _long_reason(seeds: Any) -> Any:
    raise RuntimeError("w" * 100_000)


def _control_characters(seeds: Any) -> Any:
    raise RuntimeError("red \x1b[31m and a bell \a")


def _bench_error(seeds: Any) -> Any:
    from harness import BenchError

    raise BenchError("this loss cannot be used here")


class Tiny(Dataset):
    """Twelve examples, or something that is no data set."""

    how: Literal["good", "raise", "exit", "shape", "nothing"] = "good"

    def load(self, generator: Any) -> Any:
        import torch

        if self.how == "raise":
            raise OSError("the file is gone")
        if self.how == "exit":
            os._exit(7)
        if self.how == "nothing":
            return None
        targets = torch.arange(12 if self.how == "good" else 13) % 2
        return Examples(inputs=torch.zeros(12, 1), targets=targets, classes=2)


class Score(Metric):
    """The number itself."""

    def __call__(self, number: Any) -> Any:
        return number


class Other(Metric):
    """The same number, as a second metric."""

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, number: Any) -> Any:
        return number


@hookimpl
def components() -> list[type]:
    """Everything a suite of no-op cells needs."""
    return [Noop, Good, Bad, Tiny, Score, Other]
