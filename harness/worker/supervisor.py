"""Child processes on this machine: start them, send requests under a time limit, find out how they ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import Failure
from harness.processes import OWN_PATH
from harness.worker.server import PLAIN, TRAINING, kill_group

if TYPE_CHECKING:
    import subprocess
    from multiprocessing.connection import Connection

    from harness.worker.messages import Message

Progress = Callable[[float], None]


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
        self._stopped = False

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_children()
        if self._process is not None and self._socket is not None:
            self._socket.close()
            self._process.wait()

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

    def start(self, log: Path | None = None, *, training: bool = False) -> Child:
        """Return a new child; its output goes to the file `log`. With `training`, torch.optim is imported already."""
        from multiprocessing.connection import Connection

        with self._lock:
            if self._stopped:
                raise Failure("crashed", "the run was stopped")
            if self._gone():
                self._launch()
            assert self._socket is not None
            mine, theirs = socket.socketpair()
            status_read, status_write = os.pipe()
            descriptor = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                socket.send_fds(
                    self._socket, [TRAINING if training else PLAIN], [theirs.fileno(), descriptor, status_write]
                )
            finally:
                theirs.close()
                os.close(descriptor)
                os.close(status_write)
            child = Child(Connection(mine.detach()), status_read)
            self._children.append(child)
            return child

    def _gone(self) -> bool:
        """Return whether a server must be launched: a killed one closes its socket before it can be waited for."""
        return self._process is None or self._socket is None or bool(select.select([self._socket], [], [], 0)[0])

    def _launch(self) -> None:
        import subprocess

        if self._process is not None and self._socket is not None:
            self._socket.close()
            self._process.wait()

        ours, theirs = socket.socketpair()
        path = [p for p in sys.path if p] if self._path is None else self._path
        environment = {OWN_PATH: os.environ.get("PYTHONPATH", ""), **os.environ, "PYTHONPATH": os.pathsep.join(path)}
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads slow a busy machine down
        self._process = subprocess.Popen(
            [*self._command, "-P", "-m", "harness.worker.server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        theirs.close()
        self._socket = ours


class Child:
    """One forked process, which handles one request at a time."""

    def __init__(self, connection: Connection, status: int) -> None:
        self._connection = connection
        self._status = status
        self._asked = 0
        self._pid: int | None = None
        self._ended: str | None = None

    def ask(
        self, question: Mapping[str, object], timeout: float | None = None, progress: Progress | None = None
    ) -> Any:
        """Return the child's result. Raises Failure if it raises, dies or takes longer than `timeout` seconds."""
        self._wait_for_pid()
        limit = None if timeout is None else time.monotonic() + timeout
        with contextlib.suppress(OSError):  # a dead child is detected below, with its exit status
            self._asked += 1
            self._connection.send_bytes(json.dumps({**question, "id": self._asked}).encode())
        while True:
            message = self._receive(limit, timeout)
            if message.get("id") != self._asked:
                self.kill()
                raise Failure("crashed", "the process answered another question than it was asked")
            if "progress" in message:
                if progress is not None:
                    progress(message["progress"])
            elif "failure" in message:
                raise Failure(**message["failure"])
            else:
                return message["answer"]

    def _receive(self, limit: float | None, timeout: float | None) -> Message:
        while True:
            left = None if limit is None else max(0.0, limit - time.monotonic())
            ready = select.select([self._connection.fileno(), self._status], [], [], left)[0]
            if self._connection.fileno() in ready:
                with contextlib.suppress(EOFError, OSError):
                    message: Message = json.loads(self._connection.recv_bytes())
                    return message
            if ready:
                raise Failure("crashed", self._how_it_ended())
            self.kill()
            raise Failure("timeout", f"no answer within {timeout:g} s")

    def _wait_for_pid(self) -> None:
        """Wait for the pid, the server's first line, which comes once torch is imported there."""
        if self._pid is None:
            line = self._line()
            if not line:
                raise Failure("crashed", "the fork server ended: see the message above")
            self._pid = int(line)

    def _line(self) -> str:
        text = b""
        while not text.endswith(b"\n"):
            piece = os.read(self._status, 1)
            if not piece:
                break
            text += piece
        return text.decode().strip()

    def _how_it_ended(self) -> str:
        if self._ended is None:
            self._kill_group()  # it may hang after closing its end
            self._ended = self._line()
        if not self._ended:
            return "the fork server was killed and took it along"
        code = int(self._ended)
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"the process ended by itself with exit code {code}"

    def _kill_group(self) -> None:
        if self._pid is not None and not select.select([self._status], [], [], 0.5)[0]:
            kill_group(self._pid)

    def kill(self) -> None:
        """End the child and everything it started."""
        if self._pid is not None and self._ended is None:
            kill_group(self._pid)

    def close(self) -> None:
        """Let the child end by itself; kill it if it does not."""
        with contextlib.suppress(OSError):
            self._connection.close()
        if self._pid is not None and self._ended is None:
            self._kill_group()
            self._ended = self._line()
        os.close(self._status)
