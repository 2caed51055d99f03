"""The store loses nothing: a killed process none of its records, and a closed store has all of them on the disk."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BenchError
from harness.results.store import Store, is_written
from tests.conftest import ROOT
from tests.results.test_damage import WHOLE

ENDLESS = """
import itertools, sys
from pathlib import Path
from harness.results.store import Store
store = Store(Path(sys.argv[1]), "w")
for k in itertools.count():
    store.append({**eval(sys.argv[2]), "block": k, "seeds": [k]})
    print(k, flush=True)
"""


def blocks(folder: Path) -> list[Any]:
    return [record["block"] for record in Store(folder, "").all()]


def test_a_record_can_be_read_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    store = Store(tmp_path, "w")
    record: Any = WHOLE
    for k in range(20):
        store.append(record | {"block": k})
        assert blocks(tmp_path) == [*range(k + 1)]
    store.close()


def test_a_killed_process_loses_none_of_its_records(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ENDLESS, str(tmp_path), repr(WHOLE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = [int(next(process.stdout)) for _ in range(100)]
        assert is_written(tmp_path / "records" / "w.jsonl")
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout if line.endswith("\n")]
    assert blocks(tmp_path)[: len(told)] == told
    assert not is_written(tmp_path / "records" / "w.jsonl")


def test_a_closed_store_is_on_the_disk_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        fsync(descriptor)
        synced.append(size)

    monkeypatch.setattr(os, "fsync", seen)
    store = Store(tmp_path, "w")
    record: Any = WHOLE

    def several(first: int) -> None:
        for k in range(first, first + 50):
            store.append(record | {"block": k})

    threads = [threading.Thread(target=several, args=(k * 50,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert synced[-1] == (tmp_path / "records" / "w.jsonl").stat().st_size
    assert sorted(blocks(tmp_path)) == [*range(200)]


def test_a_disk_that_fails_later_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    store = Store(tmp_path, "w")
    record: Any = WHOLE
    store.append(record)
    with pytest.raises(BenchError, match=r"cannot write .*w\.jsonl: Input/output error"):
        store.close()
    store.close()
    assert json.loads((tmp_path / "records" / "w.jsonl").read_text())["cell"] == "a"
