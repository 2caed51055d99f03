"""Exceptions of every family, and exceptions that are hard to describe."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

from harness import BenchError, Skip
from tests.faults.table import becomes

Seeds = Sequence[int]


@becomes("failed", r"Exception: plain \(exceptions\.py:\d+\)")
def exception(seeds: Seeds) -> None:
    raise Exception("plain")


@becomes("failed", r"Exception \(exceptions\.py:\d+\)")
def exception_without_text(seeds: Seeds) -> None:
    raise Exception


@becomes("failed", r"BaseException: base \(")
def base_exception(seeds: Seeds) -> None:
    raise BaseException("base")


@becomes("failed", r"KeyboardInterrupt \(exceptions\.py:\d+\)")
def keyboard_interrupt(seeds: Seeds) -> None:
    raise KeyboardInterrupt


@becomes("failed", r"SystemExit: 0 \(")
def system_exit_0(seeds: Seeds) -> None:
    sys.exit(0)


@becomes("failed", r"SystemExit: 1 \(")
def system_exit_1(seeds: Seeds) -> None:
    sys.exit(1)


@becomes("failed", r"SystemExit: give up \(")
def system_exit_with_text(seeds: Seeds) -> None:
    sys.exit("give up")


@becomes("failed", r"GeneratorExit \(")
def generator_exit(seeds: Seeds) -> None:
    raise GeneratorExit


@becomes("failed", r"StopIteration: 5 \(")
def stop_iteration(seeds: Seeds) -> None:
    raise StopIteration(5)


@becomes("failed", r"StopAsyncIteration \(")
def stop_async_iteration(seeds: Seeds) -> None:
    raise StopAsyncIteration


@becomes("failed", r"CancelledError \(")
def cancelled(seeds: Seeds) -> None:
    raise asyncio.CancelledError


@becomes("failed", r"RecursionError: maximum recursion depth exceeded")
def recursion(seeds: Seeds) -> None:
    recursion(seeds)


@becomes("oom", r"out of memory")
def memory_error(seeds: Seeds) -> None:
    raise MemoryError("no more")


@becomes("oom", r"OutOfMemoryError: of the GPU")
def out_of_gpu_memory(seeds: Seeds) -> None:
    raise type("OutOfMemoryError", (RuntimeError,), {})("of the GPU")


@becomes("failed", r"UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff")
def unicode_decode_error(seeds: Seeds) -> None:
    b"\xff".decode()


@becomes("failed", r"UnicodeEncodeError: 'utf-8' codec can't encode character")
def unicode_encode_error(seeds: Seeds) -> None:
    "\ud800".encode()


@becomes("failed", r"ZeroDivisionError: division by zero \(")
def arithmetic_error(seeds: Seeds) -> float:
    return 1 / (len(seeds) - len(seeds))


@becomes("failed", r"IndexError: list index out of range \(")
def lookup_error(seeds: Seeds) -> object:
    return list(seeds)[99]


@becomes("failed", r"AttributeError: 'NoneType' object has no attribute 'x'")
def attribute_error(seeds: Seeds) -> object:
    nothing: Any = None
    return nothing.x


@becomes("failed", r"AssertionError \(")
def assertion_error(seeds: Seeds) -> None:
    raise AssertionError


@becomes("failed", r"ModuleNotFoundError: No module named 'no_such_module'")
def import_error(seeds: Seeds) -> None:
    __import__("no_such_module")


@becomes("failed", r"BrokenPipeError: \[Errno 32\] gone \(")
def os_error(seeds: Seeds) -> None:
    raise BrokenPipeError(32, "gone")


@becomes("failed", r"EOFError \(")
def eof_error(seeds: Seeds) -> None:
    raise EOFError


@becomes("failed", r"TimeoutError: too slow \(")
def timeout_error(seeds: Seeds) -> None:
    raise TimeoutError("too slow")


@becomes("failed", r"ConnectionResetError \(")
def connection_error(seeds: Seeds) -> None:
    raise ConnectionResetError


@becomes("failed", r"SyntaxError: invalid syntax")
def syntax_error(seeds: Seeds) -> None:
    exec("1 +* 2")


@becomes("failed", r"CalledProcessError: Command .* returned non-zero exit status 3")
def called_process_error(seeds: Seeds) -> None:
    subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=True)


@becomes("failed", r"RuntimeWarning: a warning \(")
def warning_as_error(seeds: Seeds) -> None:
    warnings.simplefilter("error")
    warnings.warn("a warning", RuntimeWarning, stacklevel=1)


@becomes("failed", r"ExceptionGroup: several \(2 sub-exceptions\) \(")
def exception_group(seeds: Seeds) -> None:
    raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])


@becomes("failed", r"BaseExceptionGroup: both \(2 sub-exceptions\) \(")
def base_exception_group(seeds: Seeds) -> None:
    raise BaseExceptionGroup("both", [SystemExit(3), KeyboardInterrupt()])


@becomes("failed", r"RuntimeError: the effect \(")
def chained(seeds: Seeds) -> None:
    try:
        raise ValueError("the cause")
    except ValueError as error:
        raise RuntimeError("the effect") from error


@becomes("failed", r"RuntimeError: snake \(")
def causes_in_a_circle(seeds: Seeds) -> None:
    one, other = ValueError("its tail"), RuntimeError("snake")
    one.__cause__, other.__cause__ = other, one
    raise other


@becomes("failed", r"RuntimeError: x{286}\.\.\. \(")
def text_of_a_megabyte(seeds: Seeds) -> None:
    raise RuntimeError("x" * 2**20)


@becomes("failed", r"RuntimeError: (?!.*[\x00-\x1f\x7f-\x9f]).*red.*title.*\(")
def text_with_escapes(seeds: Seeds) -> None:
    raise RuntimeError("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b5m \x00")


@becomes("failed", r"RuntimeError: half a pair   and the other   \(")
def text_with_lone_surrogates(seeds: Seeds) -> None:
    raise RuntimeError("half a pair \ud83d and the other \ude00 ")


@becomes("failed", r"RuntimeError: line one \(")
def text_of_many_lines(seeds: Seeds) -> None:
    raise RuntimeError("line one\u2028line two\nline three")


class _Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@becomes("failed", r"_Speechless \(exceptions\.py:\d+\)")
def text_that_raises(seeds: Seeds) -> None:
    raise _Speechless


class _Stopping(Exception):
    def __str__(self) -> str:
        sys.exit(4)


@becomes("failed", r"_Stopping \(exceptions\.py:\d+\)")
def text_that_exits(seeds: Seeds) -> None:
    raise _Stopping


class _Number(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


@becomes("failed", r"_Number \(exceptions\.py:\d+\)")
def text_that_is_a_number(seeds: Seeds) -> None:
    raise _Number


class _Closed(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


@becomes("failed", r"_Closed")
def exception_without_attributes(seeds: Seeds) -> None:
    raise _Closed("shut")


@becomes("failed", r"(?!.*[\x00-\x1f]).*Red: a name \(")
def name_with_escapes(seeds: Seeds) -> None:
    raise type("\x1b[31mRed", (Exception,), {})("a name")


@becomes("skipped", r"cannot be combined")
def skip(seeds: Seeds) -> None:
    raise Skip("cannot be combined\nwith anything")


class _SilentSkip(Skip):
    def __str__(self) -> str:
        raise ValueError("no reason")


@becomes("skipped", r"_SilentSkip \(exceptions\.py:\d+\)")
def skip_whose_text_raises(seeds: Seeds) -> None:
    raise _SilentSkip


class _SilentMistake(BenchError):
    def __str__(self) -> str:
        raise ValueError("no reason")


@becomes("failed", r"_SilentMistake \(exceptions\.py:\d+\)")
def mistake_whose_text_raises(seeds: Seeds) -> None:
    raise _SilentMistake("a mistake")


@becomes("failed", r"ValueError: no printer")
def traceback_replaced(seeds: Seeds) -> None:
    traceback.print_exc = None  # type: ignore[assignment]
    traceback.extract_tb = None  # type: ignore[assignment]
    raise ValueError("no printer")


@becomes("failed", r"ValueError: \[Errno 5\] nothing to write to \(")
def raises_with_stderr_closed(seeds: Seeds) -> None:
    sys.stderr.close()
    raise ValueError("[Errno 5] nothing to write to")
