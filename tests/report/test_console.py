"""What a stream receives: color, width, glyphs."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios

import pytest

from harness.report import render
from harness.report.console import console_for

from .factory import mean_of, result
from .reading import Stream, printed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_plain_glyphs_where_the_stream_lacks_the_others(encoding: str) -> None:
    report = printed(result(), Stream(encoding=encoding))
    assert report.encode(encoding)
    assert not re.search(r"(?<!entropy)\?(?! undecided|$|  )", report, re.MULTILINE)
    assert f"{mean_of(0, 0, 0):.4f} +- 0.0021" in report and "B better" in report
    assert max(map(len, report.splitlines())) <= 100


@pytest.mark.parametrize(
    ("terminal", "color", "no_color", "colored"),
    [
        (False, "auto", None, False),
        (False, "always", None, True),
        (True, "auto", None, True),
        (True, "never", None, False),
        (True, "auto", "1", False),
        (True, "always", "1", False),
        (False, "always", "1", False),
        (True, "auto", "", True),
    ],
)
def test_escape_codes_only_where_wanted(
    terminal: bool, color: str, no_color: str | None, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    colored_report = printed(result(), Stream(terminal), color)
    assert ("\x1b[" in colored_report) == colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored_report) == render(result(), "console", 100)


def test_force_color_does_not_reach_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in printed(result(), Stream())


def test_width_of_a_pipe_and_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console_for(Stream()).width == 100
    for asked, width in (("72", 72), ("20", 40), ("nonsense", 100), ("0", 100)):
        monkeypatch.setenv("COLUMNS", asked)
        assert console_for(Stream()).width == width
        assert console_for(Stream(terminal=True)).width == width


def test_width_of_a_real_terminal() -> None:
    main, second = os.openpty()
    try:
        fcntl.ioctl(second, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 97, 0, 0))
        with open(second, "w", encoding="utf-8", closefd=False) as stream:
            console = console_for(stream)
        assert (console.width, console.is_terminal, console.no_color) == (97, True, False)
    finally:
        os.close(main)
        os.close(second)
