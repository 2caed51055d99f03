"""What a process sends is trusted in nothing: frames, messages and answers that are none end its row, and nothing else."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import Failure
from harness.results.records import Record
from harness.run.analyses import analysed
from harness.worker import child as children
from harness.worker import supervisor
from harness.worker.child import Child
from harness.worker.frames import HEAD, LARGEST, Misfit, Reader, Sender
from harness.worker.messages import Decision, Made, SetUp, Tuned
from harness.worker.supervisor import Server
from tests.helpers.analysis import measured

ANSWERS = {
    SetUp: {"width": 4, "notes": ["a note"], "issues": [], "slow": {"fid_proxy": 12.5}},
    Made: {"digest": "abc", "read": {"file.csv": "def"}},
    Tuned: {"tuned": {"lr": 0.1}, "trials": [], "seconds": 1.5, "read": {}},
    Decision: {"warm": 1, "stop": None, "bound": 0.5, "issues": []},
    Record: {"seeds": [0, 1], "metrics": {"m": [1.0, None]}, "auxiliary": {}, "notes": [], "skipped": {}, "issues": []},
    bool: True,
    list[str]: ["a", "b"],
}  # fmt: skip


def framed(payload: bytes) -> bytes:
    return HEAD.pack(len(payload)) + payload


@pytest.fixture(scope="module")
def pid() -> Iterator[int]:
    """A process that a child's end may kill."""
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process.pid
    process.kill()
    process.wait()


@contextlib.contextmanager
def talking(pid: int) -> Iterator[tuple[Child, socket.socket]]:
    """A child and the end of its socket that the process has, which lives on."""
    ours, theirs = socket.socketpair()
    status, tell = os.pipe()
    os.write(tell, f"{pid}\n".encode())
    child = Child(ours, status, lambda: None)
    try:
        yield child, theirs
    finally:
        theirs.close()
        os.close(tell)
        child.close()


def asked(pid: int, sent: bytes, kind: object, timeout: float = 5.0) -> object:
    """What asking a process for an answer of that type gives, where it sends these bytes and ends."""
    ours, theirs = socket.socketpair()
    status, tell = os.pipe()
    os.write(tell, f"{pid}\n".encode())
    child = Child(ours, status, lambda: None)
    sender = threading.Thread(target=_sent, args=(theirs, sent, tell))
    sender.start()
    try:
        return child.ask({"ask": "anything"}, kind, timeout)  # type: ignore[arg-type]
    finally:
        child.close()
        sender.join()


def _sent(theirs: socket.socket, sent: bytes, tell: int) -> None:
    with contextlib.suppress(OSError):  # the other end reads no more
        theirs.sendall(sent)
    theirs.close()
    os.write(tell, b"-9\n")
    os.close(tell)


@pytest.mark.parametrize("kind", ANSWERS, ids=str)
def test_an_answer_of_the_type_that_was_asked_for_is_returned(pid: int, kind: object) -> None:
    answer = ANSWERS[kind]  # type: ignore[index]
    progress = framed(b'{"id": 1, "progress": 0.5}')
    assert asked(pid, progress + framed(json.dumps({"id": 1, "answer": answer}).encode()), kind) == answer


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"", "killed by SIGKILL"),
        (b"\0\0", "killed by SIGKILL"),
        (framed(b'{"id": 1, "answer"')[:-3], "killed by SIGKILL"),
        (HEAD.pack(2**31), r"the process sent a message of 2,147,483,648 bytes"),
        (framed(b"[]"), "the process sent no message: Expected `object`, got `array`"),
        (framed(b"null"), "the process sent no message"),
        (framed(b"\xff\xfe"), "the process sent no message"),
        (framed(b"[" * 200_000), "the process sent no message"),
        (framed(b'{"id": 1}'), "the process sent no message: it has id"),
        (framed(b'{"id": 1, "answer": 1, "progress": 1}'), "the process sent no message: it has answer, id, progress"),
        (framed(b'{"id": "1", "answer": true}'), "the process sent no message: Expected `int`, got `str`"),
        (framed(b'{"id": 7, "answer": true}'), "the process sent an answer to another question"),
        (framed(b'{"id": 1, "answer": null}'), "the process sent another answer than was asked for: Expected `bool`"),
        (framed(b'{"id": 1, "failure": {"status": "ok", "reason": ""}}'), "the process sent no message: Invalid enum"),
        (framed(b'{"id": 1, "failure": 3}'), "the process sent no message"),
        (framed(b'{"id": 1, "progress": NaN}'), "the process sent no message"),
    ],
)
def test_what_is_no_answer_is_a_crash_with_its_reason(pid: int, sent: bytes, why: str) -> None:
    with pytest.raises(Failure) as failed:
        asked(pid, sent, bool)
    assert failed.value.status == "crashed" and str(failed.value).startswith(why)


def test_a_reason_is_one_printable_line(pid: int) -> None:
    failure = {"status": "failed", "reason": "red \x1b[31m\nsecond" + "x" * 10**6}
    with pytest.raises(Failure, match=r"^red  \[31m$"):
        asked(pid, framed(json.dumps({"id": 1, "failure": failure}).encode()), bool)


def mutated(rng: random.Random, frame: bytes) -> bytes:
    """The frame with some damage."""
    data = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data)) if data else 0
        way = rng.randrange(6)
        if way == 0 and data:
            data[place] ^= 1 << rng.randrange(8)
        elif way == 1:
            data = data[:place]
        elif way == 2:
            data[place:place] = rng.randbytes(rng.randint(1, 8))
        elif way == 3:
            del data[place : place + rng.randint(1, 8)]
        elif way == 4:
            other = rng.choice([b"null", b"[]", b"{}", b'""', b"-1", b"1e999", b"[[[[", b'{"a":', b"9" * 400])
            data = bytearray(framed(bytes(data[4:place]) + other + bytes(data[place + len(other) :])))
        else:
            data += frame
    return bytes(data)


@pytest.mark.parametrize(
    "count", [pytest.param(200, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.verify)]
)
def test_damaged_frames_end_in_an_answer_or_a_failure(pid: int, count: int) -> None:
    rng = random.Random(0)
    kinds = list(ANSWERS)
    outcomes = {"answer": 0, "crashed": 0, "failed": 0, "timeout": 0}
    for number in range(count):
        kind = kinds[number % len(kinds)]
        messages = [{"answer": ANSWERS[kind]}, {"progress": 0.5}, {"failure": {"status": "failed", "reason": "no"}}]
        frame = framed(json.dumps({"id": 1, **rng.choice(messages)}).encode())
        started = time.monotonic()
        try:
            asked(pid, mutated(rng, frame), kind)
            outcomes["answer"] += 1
        except Failure as failure:
            outcomes[failure.status] += 1
        assert time.monotonic() - started < 2
    assert outcomes["crashed"] > count / 2 and outcomes["timeout"] == 0


def test_messages_that_arrive_at_once_are_taken_one_by_one(pid: int) -> None:
    """Nothing more arrives after the answer, and the process lives on."""
    with talking(pid) as (child, theirs):
        theirs.sendall(framed(b'{"id": 1, "progress": 0.1}') * 3 + framed(b'{"id": 1, "answer": true}'))
        shares: list[float] = []
        assert child.ask({"ask": "anything"}, bool, 5, shares.append) is True
        assert shares == [0.1] * 3


def test_half_a_frame_and_endless_progress_do_not_outlast_the_timeout(pid: int) -> None:
    with talking(pid) as (child, theirs):
        theirs.sendall(b"\0\0")
        started = time.monotonic()
        with pytest.raises(Failure, match=r"no answer within 0\.2 s"):
            child.ask({"ask": "anything"}, bool, 0.2)
        assert time.monotonic() - started < 2


def test_a_question_that_nobody_reads_does_not_outlast_the_timeout(pid: int) -> None:
    with talking(pid) as (child, _), pytest.raises(Failure, match=r"no answer within 0\.2 s"):
        child.ask({"ask": "anything", "text": "x" * 10**7}, bool, 0.2)


def test_frames_come_whole_however_they_are_cut() -> None:
    ours, theirs = socket.socketpair()
    payloads = [b"", b"x", os.urandom(100_000)]
    whole = b"".join(map(framed, payloads))
    reader, found = Reader(theirs), []
    cuts = [0, 1, 3, 4, 5, 9, 10, 50_000, len(whole)]
    for start, end in itertools.pairwise(cuts):
        ours.sendall(whole[start:end])
        frame = reader.take()
        while frame is not None:
            found.append(frame)
            frame = reader.taken()
    assert found == payloads
    Sender(ours).send(b"more")
    assert reader.wait() == b"more"
    ours.sendall(HEAD.pack(LARGEST + 1))
    with pytest.raises(Misfit):
        reader.wait()
    ours.close()
    with pytest.raises(EOFError):
        reader.take()
    theirs.close()


@pytest.mark.verify
def test_a_stopped_fork_server_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child has its timeout; the next one starts no process, which costs a wait, and the one after has a new server."""
    for module in (children, supervisor):
        monkeypatch.setattr(module, "ENDED_WITHIN", 0.5)
    with Server() as server:
        child = server.start()
        assert child.ask({"ask": "gpus"}, int) >= 0
        stopped = int(Path(f"/proc/{child._pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(stopped, signal.SIGSTOP)
        child.kill()
        with pytest.raises(Failure, match="the fork server does not say how"):
            child.ask({"ask": "gpus"}, int, 5)
        child.close()
        monkeypatch.setattr(children, "STARTED_WITHIN", 0.5)
        lost = server.start()
        with pytest.raises(Failure, match=r"the fork server started no process within 0\.5 s"):
            lost.ask({"ask": "gpus"}, int, 5)
        lost.close()
        monkeypatch.setattr(children, "STARTED_WITHIN", 60.0)
        last = server.start()
        assert last.ask({"ask": "gpus"}, int, 60) >= 0
        last.close()


class Dying(Server):
    """A fork server that is killed between the question whether it runs and the request for a process."""

    def __init__(self, deaths: int) -> None:
        super().__init__()
        self.deaths = deaths

    def _run(self) -> None:
        super()._run()
        if self.deaths:
            self.deaths -= 1
            assert self._process is not None
            self._process.kill()
            self._process.wait()


@pytest.mark.verify
def test_a_fork_server_killed_just_before_a_request_is_started_again() -> None:
    with Dying(0) as server:
        server.start().close()
        server.deaths = 2
        child = server.start()
        assert child.ask({"ask": "gpus"}, int, 60) >= 0
        child.close()
        server.deaths = supervisor.TRIES + 1
        with pytest.raises(Failure, match="the fork server ended 3 times before it was asked for a process"):
            server.start()


class Deadly(Server):
    """A fork server whose first children are killed once they run."""

    def __init__(self, deaths: int) -> None:
        super().__init__()
        self.deaths = deaths

    def start(self, log: Path | None = None, **options: Any) -> Child:
        child = super().start(log, **options)
        if self.deaths:
            self.deaths -= 1
            child.ask({"ask": "gpus"}, int)
            child.kill()
        return child


@pytest.mark.verify
@pytest.mark.parametrize("deaths", [1, 2])
def test_killed_statistics_are_computed_again_once(
    deaths: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    run = measured({"metrics": [], "axes": {}, "contenders": [], "baseline": None, "group_by": None, "cells": []})
    with Deadly(deaths) as server:
        if deaths == 1:
            assert analysed(run, server).cells == ()
            return
        with pytest.raises(Failure, match="no statistics were computed: killed by SIGKILL; everything measured is"):
            analysed(run, server)


def test_a_failure_that_is_no_row_is_one_line_and_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise Failure("crashed", "no statistics were computed: killed by SIGKILL")

    monkeypatch.setitem(main.COMMANDS, "schema", fails)
    assert main.main(["schema"]) == 3
    assert capsys.readouterr().err == "bench: no statistics were computed: killed by SIGKILL\n"
