"""Programs run by a cell, and the end of every process that they start."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import BenchError

if TYPE_CHECKING:
    import subprocess

PR_SET_CHILD_SUBREAPER = 36
OWN_PATH = "BENCH_PYTHONPATH"
"""Environment variable that keeps the user's PYTHONPATH while a worker has one of its own."""
MARK = "BENCH_SERVER"
"""Environment variable by which all processes of a fork server are known, whatever became of their parents."""
SWEPT_WITHIN = 5.0
"""Seconds after which a sweep gives up."""
KEPT = 1 << 20
"""Bytes of a program's output that are kept, the last ones."""
PIECE = 1 << 16


class ProgramEnd(NamedTuple):
    """End of a program: its exit code, negative for a signal, and the last part of what it printed."""

    code: int
    out: str
    err: str

    @property
    def how(self) -> str:
        """Words for the end: `ended with exit code 1`, `was killed by SIGSEGV`."""
        killed = self.code < 0
        return f"was killed by {signal_name(-self.code)}" if killed else f"ended with exit code {self.code}"


def signal_name(number: int) -> str:
    """Return the name of a signal; real-time signals have none but their number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def adopt_orphans() -> None:
    """Let processes whose parent has ended become children of this one, on Linux, so that they can be ended."""
    import ctypes  # the command itself never needs it

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def children() -> set[int]:
    """Return the process ids of this process's children; empty where the system has no /proc."""
    own, found = os.getpid(), set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            number, _, rest = status.read_bytes().partition(b" (")
            if int(rest.rpartition(b") ")[2].split()[1]) == own:
                found.add(int(number))
    return found


def resident(pid: int) -> int:
    """Return the bytes of memory of a process and all that it started; shared pages count by their share (PSS).

    It is 0 where the system has no /proc, or the process has ended.
    """
    total = 0
    with contextlib.suppress(OSError):  # it has ended meanwhile
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total = sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += sum(resident(int(child)) for child in (thread / "children").read_text().split())
    return total


def end_children(spared: Collection[int] = ()) -> None:
    """Kill and collect this process's children and all that they started, but for those that are spared.

    One that runs as another user, as under sudo, cannot be killed and is left.
    """
    left = {*spared}
    while found := children() - left:
        for pid in found:
            try:
                group = os.getpgid(pid)
                if group in found:  # a group of its own, which may have members that are no children yet
                    os.killpg(group, signal.SIGKILL)
                os.kill(pid, signal.SIGKILL)
            except PermissionError:
                left.add(pid)
                continue
            except ProcessLookupError:
                pass
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def end_marked(mark: str) -> None:
    """Kill every process with this value of MARK; none where the system has no /proc.

    A process in a session of its own is found too, when neither its parent nor the fork server has lived to end it.
    """
    limit = time.monotonic() + SWEPT_WITHIN
    while (found := _marked(f"{MARK}={mark}".encode())) and time.monotonic() < limit:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _marked(entry: bytes) -> list[int]:
    """Return the processes with an entry in their environment; one that has ended has none."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            if entry in file.read_bytes().split(b"\0"):
                found.append(int(file.parent.name))
    return found


def program_environment() -> dict[str, str]:
    """Return the environment of programs: the user's own, in which `python` is the Python that runs this."""
    found = dict(os.environ)
    own = found.pop(OWN_PATH, None)
    if own is not None:
        found["PYTHONPATH"] = own
        if not own:
            del found["PYTHONPATH"]
    # as if the environment were activated
    found["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), found.get("PATH", os.defpath)])
    return found


def run_program(words: Sequence[str], environment: Mapping[str, str] | None = None) -> ProgramEnd:
    """Run a program in the current folder and wait for its end; no shell sees its words, and it reads no input.

    It is in this process's group, so that it ends with it; all it prints goes to this process's output too, and what
    it leaves running is ended. `environment` adds variables. Raises BenchError for a program that cannot be started.
    """
    import subprocess

    before = children()
    pipe, whole = subprocess.PIPE, program_environment() | {**(environment or {})}
    try:
        process = subprocess.Popen([*words], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=whole)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise BenchError(f"{words[0]} cannot be started: {str(what).lower()}") from None
    try:
        out, err = _printed(process, before)
        return ProgramEnd(process.wait(), out, err)
    finally:
        end_children(before)


class _Tail:
    """The last bytes of a stream, which is copied to a descriptor."""

    def __init__(self, to: int) -> None:
        self._to, self._pieces, self._size = to, deque[bytes](), 0

    def add(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk
            os.write(self._to, piece)
        self._pieces.append(piece)
        self._size += len(piece)
        while self._size - len(self._pieces[0]) > KEPT:
            self._size -= len(self._pieces.popleft())

    def text(self) -> str:
        return b"".join(self._pieces).decode(errors="replace")


def _printed(process: subprocess.Popen[bytes], before: Collection[int]) -> tuple[str, str]:
    """Return the ends of a program's output and error output, once both are closed."""
    import selectors

    assert process.stdout is not None and process.stderr is not None
    tails = {process.stdout: _Tail(1), process.stderr: _Tail(2)}
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        for stream, tail in tails.items():
            selector.register(stream, selectors.EVENT_READ, tail)
        while selector.get_map():
            for key, _ in selector.select(timeout=0.1):
                piece = os.read(key.fd, PIECE)
                key.data.add(piece) if piece else selector.unregister(key.fileobj)
            if process.poll() is not None:
                end_children(before)  # one of them may keep a stream open
    out, err = (tail.text() for tail in tails.values())
    return out, err
