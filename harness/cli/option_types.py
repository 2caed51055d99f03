"""Types of command-line options; a text that does not fit is reported by argparse."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
from pathlib import Path

from harness.errors import near_miss
from harness.results.statements import FailOn


def conditions(text: str) -> tuple[str, ...]:
    """Parse names of conditions, separated by commas."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in list(FailOn):
            raise argparse.ArgumentTypeError(f"no condition {name!r}{near_miss(name, FailOn)}")
    return names


def names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def numbers(text: str) -> tuple[int, ...]:
    """Parse whole numbers from 0, separated by commas."""
    found = names(text)
    if not found or not all(name.isascii() and name.isdecimal() for name in found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers, such as 0,2")
    return tuple(dict.fromkeys(map(int, found)))


def columns(text: str) -> dict[str, tuple[str, ...]]:
    """Parse `role=column,role=column+column`."""
    found = {}
    for part in names(text):
        role, equals, said = part.partition("=")
        if not equals or not said:
            raise argparse.ArgumentTypeError(f"{part!r}: expected ROLE=COLUMN, for example contender=method")
        found[role.strip()] = tuple(name.strip() for name in said.split("+"))
    return found


def seconds(text: str) -> float:
    """Parse a finite number above 0."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < math.inf:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


def mebibytes(text: str) -> int:
    """Parse a whole number of MiB above 0; return bytes."""
    return count(text) << 20


def days(text: str) -> float:
    """Parse an age: `12h`, `30d`, `4w`; return days."""
    with contextlib.suppress(ValueError, KeyError):
        number = float(text[:-1]) * {"h": 1 / 24, "d": 1.0, "w": 7.0}[text[-1:]]
        if 0 <= number < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is no age, such as 12h, 30d or 4w")


def amount(text: str) -> int:
    """Parse an amount of memory: `500M`, `2G`, `1T`, with or without `iB`; return bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT])(?:iB)?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of memory, such as 500M or 2G")
    return int(float(found[1]) * 2 ** (10 * ("KMGT".index(found[2]) + 1)))


def target(text: str) -> str:
    """Check that a file can be written before anything is measured."""
    if text != "-" and (os.path.isdir(text) or not os.path.isdir(os.path.dirname(text) or ".")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a file in a folder that exists")
    return text


def file_target(text: str) -> str:
    """Check that a file can be written, and is one: stdout has the report."""
    if text == "-":
        raise argparse.ArgumentTypeError("'-' is stdout, which has the report: name a file")
    return target(text)


def folder(text: str) -> str:
    """Check that a folder exists or can be created."""
    above = next(path for path in (Path(text), *Path(text).absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder that can be written to")
    return text


def labels(text: str) -> list[int]:
    """Return the class labels of a list such as `3,7`."""
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of whole numbers from 0, such as 3 or 3,7")
    return [int(word) for word in words]


def shard(text: str) -> tuple[int, int]:
    """Parse `I/N`: the number of a part, from 1, and the number of parts."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not found or not 0 < int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard I/N with I from 1 to N, such as 2/8")
    return int(found[1]), int(found[2])


def count(text: str) -> int:
    """Parse a whole number above 0."""
    with contextlib.suppress(ValueError):
        if int(text) > 0:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
