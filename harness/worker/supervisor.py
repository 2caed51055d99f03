"""Child processes on this machine: start them, send requests under a time limit, find out how they ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from harness.errors import Failure, one_line
from harness.processes import MARK, OWN_PATH, end_marked, resident, signal_name
from harness.worker.frames import Misfit, Reader, Sender
from harness.worker.logs import Log
from harness.worker.messages import answered, decoded
from harness.worker.server import PLAIN, TRAINING, kill_group

if TYPE_CHECKING:
    import subprocess

    from harness.worker.messages import Message

Progress = Callable[[float], None]
T = TypeVar("T")
STARTED_WITHIN = 120.0
"""Seconds within which the fork server must start a process; it imports torch first."""
WATCHED = 0.1
"""Seconds between two looks at a process's memory."""
MOST = 1000
"""Largest number of characters of a reason that a process gives."""
ENDED_WITHIN = 10.0
"""Seconds within which the fork server must tell how a killed process ended, and end itself."""


class Server:
    """The warm fork server, started on first use. A context manager: leaving it ends every child.

    It runs in `python`, this one by default, and finds its modules on `path`, this process's by default; its command is
    preceded by the words `by`, such as those of `harness.machine.same_addresses`.
    """

    def __init__(self, python: str | None = None, path: Sequence[str] | None = None, by: Sequence[str] = ()) -> None:
        self._command, self._path = [*by, python or sys.executable], path
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._children: list[Child] = []
        self._stopped, self._mark = False, os.urandom(8).hex()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_children()
        self._end_server()

    def _end_server(self) -> None:
        """Let the server end, and with it what its children started; kill it if it does not, and sweep."""
        import subprocess

        if self._process is None or self._socket is None:
            return
        self._socket.close()
        try:
            self._process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:  # it was stopped, for example
            _end(self._process)
        end_marked(self._mark)

    def end_children(self) -> None:
        """Kill every child; a pending request fails as crashed."""
        for child in list(self._children):
            child.kill()

    def stop(self) -> None:
        """End the children and the server at once, permanently, even during its start."""
        self._stopped = True
        self.end_children()
        if self._process is not None:
            self._process.kill()

    def start(self, log: Path | None = None, *, training: bool = False, memory: int | None = None) -> Child:
        """Return a new child; its output goes to the file `log`, and it may use so many bytes of `memory`.

        With `training`, torch.optim is imported already.
        """
        with self._lock:
            if self._stopped:
                raise Failure("crashed", "the run was stopped")
            if self._gone():
                self._launch()
            assert self._socket is not None and self._process is not None
            kept = Log(log) if log else None
            mine, theirs = socket.socketpair()
            status_read, status_write = os.pipe()
            descriptor = kept.descriptor if kept else os.open(os.devnull, os.O_WRONLY)
            try:
                socket.send_fds(
                    self._socket, [TRAINING if training else PLAIN], [theirs.fileno(), descriptor, status_write]
                )
            finally:
                theirs.close()
                os.close(descriptor)
                os.close(status_write)
            child = Child(mine, status_read, partial(_end, self._process), kept, memory)
            self._children.append(child)
            return child

    def _gone(self) -> bool:
        """Return whether a server must be launched: a killed one closes its socket before it can be waited for."""
        return self._process is None or self._socket is None or bool(select.select([self._socket], [], [], 0)[0])

    def _launch(self) -> None:
        import subprocess

        self._end_server()
        ours, theirs = socket.socketpair()
        path = [p for p in sys.path if p] if self._path is None else self._path
        default = {"OMP_WAIT_POLICY": "PASSIVE"}  # spinning threads slow a busy machine down
        environment = {**default, OWN_PATH: os.environ.get("PYTHONPATH", ""), **os.environ}
        self._process = subprocess.Popen(
            [*self._command, "-P", "-m", "harness.worker.server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**environment, MARK: self._mark, "PYTHONPATH": os.pathsep.join(path)},
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours


def _end(server: subprocess.Popen[bytes]) -> None:
    """Kill a server that does not work and wait for its end, so that the next child gets a new one."""
    server.kill()
    server.wait()


class Child:
    """One forked process, which handles one request at a time. Nothing that it sends is trusted.

    `give_up` is called if the fork server has ended or starts no process. `log` is closed with it; at more than
    `memory` bytes, those of all it started included, it is ended.
    """

    def __init__(
        self,
        connection: socket.socket,
        status: int,
        give_up: Callable[[], None],
        log: Log | None = None,
        memory: int | None = None,
    ) -> None:
        self._connection, self._status, self._give_up = connection, status, give_up
        self._log, self._memory = log, memory
        self._answers, self._questions = Reader(connection), Sender(connection)
        self._asked = 0
        self._pid: int | None = None
        self._ended: str | None = None

    def ask(
        self,
        question: Mapping[str, object],
        answer: type[T],
        timeout: float | None = None,
        progress: Progress | None = None,
    ) -> T:
        """Return the child's result, of the type `answer`.

        Raises Failure if it raises, dies, takes longer than `timeout` seconds or sends anything else.
        """
        self._wait_for_pid()
        limit = None if timeout is None else time.monotonic() + timeout
        try:
            self._send(question, timeout)
            while True:
                message = self._receive(limit)
                if message["id"] != self._asked:
                    raise Misfit("an answer to another question")
                if "failure" in message:
                    raise Failure(message["failure"]["status"], one_line(message["failure"]["reason"], MOST))
                if "answer" in message:
                    return answered(answer, message["answer"])
                if progress is not None and "progress" in message:
                    progress(min(max(message["progress"], 0.0), 1.0))
        except TimeoutError:
            self.kill()
            raise Failure("timeout", f"no answer within {timeout:g} s") from None
        except Misfit as misfit:
            self.kill()
            raise Failure("crashed", f"the process sent {misfit}") from None

    def _send(self, question: Mapping[str, object], timeout: float | None) -> None:
        self._asked += 1
        self._connection.settimeout(timeout)
        try:
            self._questions.send(json.dumps({**question, "id": self._asked}).encode())
        except TimeoutError:
            raise
        except OSError:  # a dead child is detected when its answer is read, with its exit status
            pass

    def _receive(self, limit: float | None) -> Message:
        """Return the next message. Raises TimeoutError at the limit, Misfit for bytes that are no message."""
        while True:
            if (frame := self._answers.taken()) is not None:
                return decoded(frame)
            left = None if limit is None else limit - time.monotonic()
            if left is not None and left <= 0:  # whatever the process goes on sending
                raise TimeoutError
            ready = self._wait(left)
            try:
                frame = self._answers.take() if self._connection.fileno() in ready else None
            except (EOFError, OSError):
                raise Failure("crashed", self._how_it_ended()) from None
            if frame is not None:
                return decoded(frame)
            if ready == [self._status]:
                raise Failure("crashed", self._how_it_ended())

    def _wait(self, left: float | None) -> list[int]:
        """Wait for the process or the server to say something, within `left` seconds; meanwhile watch the memory."""
        ends = [self._connection.fileno(), self._status]
        if self._memory is None or self._pid is None:
            return select.select(ends, [], [], left)[0]
        ready = select.select(ends, [], [], WATCHED if left is None else min(left, WATCHED))[0]
        used = resident(self._pid)
        if used > self._memory:
            self.kill()
            raise Failure("oom", f"used {used >> 20:,} MiB of memory, more than the {self._memory >> 20:,} MiB allowed")
        return ready

    def _wait_for_pid(self) -> None:
        """Wait for the pid, the server's first line, which comes once torch is imported there."""
        if self._pid is None:
            line = self._line(STARTED_WITHIN)
            if not line:
                self._give_up()
            if line is None:
                raise Failure("crashed", f"the fork server started no process within {STARTED_WITHIN:g} s")
            if not line:
                raise Failure("crashed", "the fork server ended: see the message above")
            self._pid = int(line)

    def _line(self, within: float) -> str | None:
        """Return the server's next line; empty if it has ended, None if it says nothing in time."""
        text, limit = b"", time.monotonic() + within
        while not text.endswith(b"\n"):
            if not select.select([self._status], [], [], max(0.0, limit - time.monotonic()))[0]:
                return None
            piece = os.read(self._status, 1)
            if not piece:
                break
            text += piece
        return text.decode().strip()

    def _how_it_ended(self) -> str:
        if self._ended is None:
            by_itself, self._ended = self._ends(), self._line(ENDED_WITHIN)
            if not by_itself and self._ended:
                return "the process closed its connection and did not end"
        if self._ended is None:
            return "the process ended, and the fork server does not say how"
        if not self._ended:
            self._give_up()
            return "the fork server was killed and took it along"
        code = int(self._ended)
        if code < 0:
            return f"killed by {signal_name(-code)}"
        return f"the process ended by itself with exit code {code}"

    def _ends(self) -> bool:
        """Return whether the process ends by itself soon; it is killed if it does not."""
        ends = self._pid is None or bool(select.select([self._status], [], [], 0.5)[0])
        if not ends:
            self.kill()
        return ends

    def kill(self) -> None:
        """End the child and everything it started."""
        if self._pid is not None and self._ended is None:
            kill_group(self._pid)

    def close(self) -> None:
        """Let the child end by itself; kill it if it does not."""
        with contextlib.suppress(OSError):
            self._connection.close()
        if self._pid is not None and self._ended is None:
            self._ends()
            self._ended = self._line(ENDED_WITHIN)
        os.close(self._status)
        if self._log is not None:
            self._log.close()
