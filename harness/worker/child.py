"""A child process: send it requests under a time limit, find out how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from harness.errors import BenchError, Failure, one_line, printable
from harness.processes import resident, signal_name
from harness.worker.frames import Misfit, Reader, Sender
from harness.worker.messages import answered, decoded
from harness.worker.server import kill_group

if TYPE_CHECKING:
    from harness.worker.control_groups import ControlGroup
    from harness.worker.logs import Log
    from harness.worker.messages import FailureData, Message

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


class Child:
    """One forked process, which handles one request at a time. Nothing that it sends is trusted.

    `give_up` is called if the fork server has ended or starts no process. `log` is closed with it; at more than
    `memory` bytes, those of all it started included, it is ended. It joins the control `group` before it is asked
    anything; the group ends with it.
    """

    def __init__(
        self,
        connection: socket.socket,
        status: int,
        give_up: Callable[[], None],
        log: Log | None = None,
        memory: int | None = None,
        group: ControlGroup | None = None,
    ) -> None:
        self._connection, self._status, self._give_up = connection, status, give_up
        self._log, self._memory, self._group = log, memory, group
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
        if self._log is not None:
            self._log.begin()
        try:
            self._send(question, timeout)
            while True:
                message = self._receive(limit)
                if message["id"] != self._asked:
                    raise Misfit("an answer to another question")
                if "failure" in message:
                    raise _failure(message["failure"])
                if "answer" in message:
                    return answered(answer, message["answer"])
                if progress is not None and "progress" in message:
                    progress(min(max(message["progress"], 0.0), 1.0))
        except TimeoutError:
            self.kill()
            last = self._log.last_line() if self._log is not None else ""
            raise Failure("timeout", f"no answer within {timeout:g} s{last and f'; last printed: {last}'}") from None
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
                raise self._ending() from None
            if frame is not None:
                return decoded(frame)
            if ready == [self._status]:
                raise self._ending()

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

    def _ending(self) -> Failure:
        """Return the failure of a process that has ended."""
        how = self._how_it_ended()
        if self._group is not None and self._memory is not None and self._group.is_exhausted():
            return Failure("oom", f"used more than the {self._memory >> 20:,} MiB of memory allowed: {how}")
        return Failure("crashed", how)

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
            self._join()

    def _join(self) -> None:
        """Move the process to its control group, where it has one."""
        if self._group is None or self._pid is None:
            return
        try:
            self._group.add(self._pid)
        except BenchError as error:
            self.kill()
            raise Failure("crashed", str(error)) from None

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
        if self._group is not None:
            self._group.close()
        if self._log is not None:
            self._log.close()


def _failure(found: FailureData) -> Failure:
    return Failure(found["status"], one_line(found["reason"], MOST), printable(found.get("trace", [])))
