"""Output of a process in its file: what it said last."""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness.worker import logs
from harness.worker.logs import Log


def said(log: Log, text: str) -> None:
    os.write(log.descriptor, text.encode())
    time.sleep(0.05)  # it is copied by a thread


def test_the_last_line_since_a_request_began(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    try:
        said(log, "seed 0\n")
        log.begin()
        assert log.last_line() == ""
        said(log, "seed 1\nepoch 1 of 9\n\n")
        assert log.last_line() == "epoch 1 of 9"
        said(log, "\x1b[1m" + "x" * 1000)
        assert log.last_line() == " [1m" + "x" * (logs.SHOWN - 4) + "..."
    finally:
        os.close(log.descriptor)
        log.close()


def test_the_last_line_of_a_long_output(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    try:
        log.begin()
        log._keep(b"y" * logs.HEAD)
        log._keep(b"one\ntwo\n")
        assert log.last_line() == "two"
    finally:
        os.close(log.descriptor)
        log.close()
