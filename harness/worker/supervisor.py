"""The fork server on this machine, which starts child processes."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Failure
from harness.processes import MARK, OWN_PATH, end_marked
from harness.worker.child import ENDED_WITHIN, Child
from harness.worker.control_groups import ControlGroup
from harness.worker.logs import Log
from harness.worker.server import PLAIN, TRAINING

if TYPE_CHECKING:
    import subprocess

TRIES = 3
"""Fork servers that are started, one after the other, before a process is given up."""


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

    def start(
        self, log: Path | None = None, *, training: bool = False, memory: int | None = None, grouped: bool = False
    ) -> Child:
        """Return a new child; its output goes to the file `log`, and it may use so many bytes of `memory`.

        With `training`, torch.optim is imported already; `grouped` gives it a control group of its own.
        """
        with self._lock:
            if self._stopped:
                raise Failure("crashed", "the run was stopped")
            self._run()
            group = ControlGroup(memory) if grouped else None
            kept = Log(log) if log else None
            mine, theirs = socket.socketpair()
            status_read, status_write = os.pipe()
            descriptor = kept.descriptor if kept else os.open(os.devnull, os.O_WRONLY)
            try:
                process = self._asked(TRAINING if training else PLAIN, [theirs.fileno(), descriptor, status_write])
            except Failure:
                mine.close()
                os.close(status_read)
                raise
            finally:
                theirs.close()
                os.close(descriptor)
                os.close(status_write)
            child = Child(mine, status_read, partial(_end, process), kept, memory, group)
            self._children.append(child)
            return child

    def _asked(self, request: bytes, descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
        """Ask the server for a child, or a new server where it has ended, at this moment even; return the server."""
        for _ in range(TRIES):
            self._run()
            assert self._socket is not None and self._process is not None
            with contextlib.suppress(ConnectionError):
                socket.send_fds(self._socket, [request], descriptors)
                return self._process
        raise Failure("crashed", f"the fork server ended {TRIES} times before it was asked for a process")

    def _run(self) -> None:
        if self._gone():
            self._launch()

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
