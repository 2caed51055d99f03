"""Descriptors, memory, limits and files that a cell spoils."""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.faults.table import becomes

Seeds = Sequence[int]
KEPT: list[Any] = []
"""What is never released."""


def _descriptors() -> Iterator[int]:
    yield from sorted(int(name) for name in os.listdir("/proc/self/fd"))


def _answers() -> Iterator[int]:
    """The descriptor of the conversation with the command."""
    for descriptor in _descriptors():
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                yield descriptor


def _send(data: bytes) -> None:
    for descriptor in _answers():
        os.write(descriptor, data)


@becomes("ok")
def closes_standard_streams(seeds: Seeds) -> None:
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(descriptor)


@becomes("failed", r"ValueError: unheard \(")
def closes_standard_streams_and_raises(seeds: Seeds) -> None:
    closes_standard_streams(seeds)
    raise ValueError("unheard")


@becomes("crashed", r"the process ended by itself with exit code 1$")
def closes_all_others(seeds: Seeds) -> None:
    os.closerange(3, 10_000)


@becomes("crashed", r"the process closed its connection and did not end$")
def closes_its_connection_and_hangs(seeds: Seeds) -> None:
    os.closerange(3, 10_000)
    time.sleep(600)


@becomes("crashed", r"the process ended by itself with exit code 1$")
def shuts_its_connection_down(seeds: Seeds) -> None:
    for descriptor in _answers():
        socket.socket(fileno=os.dup(descriptor)).shutdown(socket.SHUT_RDWR)


@becomes("crashed", r"the process ended by itself with exit code 1$")
def another_file_over_its_connection(seeds: Seeds) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in _answers():
        os.dup2(nothing, descriptor)


@becomes("timeout", r"no answer within \d")
def another_socket_over_its_connection(seeds: Seeds) -> None:
    KEPT.append(socket.socketpair())
    for descriptor in [each for each in _answers() if each not in {end.fileno() for end in KEPT[-1]}]:
        KEPT.append(os.dup(descriptor))
        os.dup2(KEPT[0][0].fileno(), descriptor)


@becomes("failed", r"OSError: \[Errno 24\] Too many open files")
def opens_files_until_none_is_left(seeds: Seeds) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    while True:
        KEPT.append(open(os.devnull))  # noqa: SIM115


@becomes("ok")
def uses_every_descriptor_up(seeds: Seeds) -> None:
    with contextlib.suppress(OSError):
        opens_files_until_none_is_left(seeds)


@becomes("crashed", r"the process sent a message of 1,920,295,522 bytes")
def rubbish_to_every_descriptor(seeds: Seeds) -> None:
    for descriptor in _descriptors():
        with contextlib.suppress(OSError):
            os.write(descriptor, b"rubbish")
    time.sleep(60)


@becomes("crashed", r"the process sent no message: ")
def frame_of_rubbish(seeds: Seeds) -> None:
    _send((4).to_bytes(4, "big") + b"\xff\xfe{[")
    time.sleep(60)


@becomes("crashed", r"the process sent no message: ")
def frame_of_nested_lists(seeds: Seeds) -> None:
    _send((100_000).to_bytes(4, "big") + b"[" * 100_000)
    time.sleep(60)


@becomes("crashed", r"the process sent an answer to another question")
def answer_to_another_question(seeds: Seeds) -> None:
    data = b'{"id": 99, "answer": null}'
    _send(len(data).to_bytes(4, "big") + data)
    time.sleep(60)


@becomes("timeout", r"no answer within \d")
def half_a_frame(seeds: Seeds) -> None:
    _send(b"\0\0")
    time.sleep(600)


@becomes("failed", r"EOFError: EOF when reading a line")
def reads_its_input(seeds: Seeds) -> None:
    input()


@becomes("failed", r"OSError: \[Errno 6\] No such device or address: 'tty'")
def opens_the_terminal(seeds: Seeds) -> None:
    open("/dev/tty").close()


@becomes("ok")
def prints_a_hundred_megabytes(seeds: Seeds) -> None:
    for descriptor in (1, 2):
        for _ in range(50 if seeds[0] == 0 else 0):
            os.write(descriptor, b"\x1b[31m" + b"x" * 2**20)


@becomes("oom", r"used [\d,]+ MiB of memory, more than the 1,000 MiB allowed")
def allocates_in_steps(seeds: Seeds) -> None:
    while True:
        KEPT.append(b"x" * 2**24)
        time.sleep(0.01)


@becomes("oom", r"used [\d,]+ MiB of memory, more than the 1,000 MiB allowed")
def allocates_at_once(seeds: Seeds) -> None:
    KEPT.append(b"x" * 2**30)
    time.sleep(60)


@becomes("oom", r"used [\d,]+ MiB of memory, more than the 1,000 MiB allowed")
def allocates_shared_memory(seeds: Seeds) -> None:
    shared = mmap.mmap(-1, 2**30)
    for start in range(0, 2**30, 2**24):
        shared[start : start + 2**24] = b"x" * 2**24
    time.sleep(60)


@becomes("oom", r"used [\d,]+ MiB of memory, more than the 1,000 MiB allowed")
def an_orphan_allocates(seeds: Seeds) -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            KEPT.append(b"x" * 2**30)
            time.sleep(60)
        os._exit(0)
    time.sleep(60)


@becomes("oom", r"out of memory")
def allocates_more_than_there_is(seeds: Seeds) -> None:
    KEPT.append(bytes(2**60))


@becomes("oom", r"RuntimeError: .*can't allocate memory")
def tensor_of_more_than_there_is(seeds: Seeds) -> None:
    import torch

    torch.empty(2**46, dtype=torch.float64)


@becomes("oom", r"out of memory")
def limits_its_memory(seeds: Seeds) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
    KEPT.append(b"x" * 2**28)


@becomes("ok")
def leaks_a_little(seeds: Seeds) -> None:
    KEPT.extend(bytearray(2**10) for _ in range(10_000))


@becomes("failed", r"OSError: \[Errno 27\] File too large")
def limits_its_files(seeds: Seeds) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    with tempfile.TemporaryFile() as stream:
        stream.write(b"x" * 10_000)


@becomes("ok")
def limits_its_processes(seeds: Seeds) -> None:
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    resource.setrlimit(resource.RLIMIT_STACK, (2**16, 2**16))


@becomes("ok")
def goes_to_a_folder_that_is_gone(seeds: Seeds) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)


@becomes("ok")
def deletes_its_run(seeds: Seeds) -> None:
    for folder in Path("results", "runs").glob("*"):
        shutil.rmtree(folder)


@becomes("ok")
def deletes_the_records(seeds: Seeds) -> None:
    shutil.rmtree(Path("results", "records"), ignore_errors=True)


@becomes("ok")
def deletes_the_suite(seeds: Seeds) -> None:
    Path("s.yaml").unlink(missing_ok=True)


@becomes("ok")
def forbids_its_log(seeds: Seeds) -> None:
    for file in Path("results", "runs").glob("*/logs/*"):
        file.chmod(0)


@becomes("ok")
def file_that_nobody_may_read(seeds: Seeds) -> None:
    file = Path(f"{os.getpid()}.secret")
    file.touch(mode=0)
    file.unlink()


@becomes("ok")
def reads_odd_files(seeds: Seeds) -> None:
    """A device without an end, a pipe, a folder, and a file whose name is no text."""
    pipe, odd = f"{os.getpid()}.pipe", os.fsencode(str(Path().resolve())) + b"/\xff\xfe.txt"
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDWR)), open("/dev/zero") as zeros, contextlib.suppress(IsADirectoryError):
        zeros.read(10)
        open(".").close()
    os.unlink(pipe)
    descriptor = os.open(odd, os.O_RDONLY | os.O_CREAT)
    os.close(descriptor)
    os.utime(odd, (0, 0))
    open(odd).close()


@becomes("ok")
def closed_standard_output(seeds: Seeds) -> None:
    if not sys.stdout.closed:
        print("in the buffer", end="")
        sys.stdout.close()
