"""Command lines of programs as a suite writes them: split into words as a shell would, and never given to one.

`{name}` is a placeholder. A line is split first and filled then, so that a value with spaces or quotes stays inside
its word; `{{` and `}}` are braces.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from harness.errors import BenchError, near_miss

_BRACES = re.compile(r"\{\{|\}\}|\{(\w+)\}|[{}]")


class Placeholder(NamedTuple):
    """A placeholder: its name, and its place in the text, from 0."""

    name: str
    at: int


def placeholders(text: str) -> Iterator[Placeholder]:
    """Yield the placeholders of a text, in order."""
    for found in _BRACES.finditer(text):
        if found[1] is not None:
            yield Placeholder(found[1], found.start())


def stray_brace(text: str) -> int | None:
    """Return the place of the first brace that belongs to no placeholder and is not written twice, or None."""
    return next((found.start() for found in _BRACES.finditer(text) if found[0] in "{}"), None)


def words(text: str) -> list[str]:
    """Split a line into words, placeholders unfilled. Raises BenchError for open quotes and for no words."""
    try:
        found = shlex.split(text)
    except ValueError as error:
        raise BenchError(f"the command cannot be split into words: {str(error).lower()}") from None
    if not found:
        raise BenchError("the command is empty")
    return found


def filled(word: str, values: Mapping[str, str]) -> str | None:
    """Return a word with its placeholders filled; None if one of them has no value."""
    if any(each.name not in values for each in placeholders(word)):
        return None
    return _BRACES.sub(lambda found: found[0][0] if found[1] is None else values[found[1]], word)


def fill_command(text: str, values: Mapping[str, str]) -> list[str]:
    """Return the words of a command line with its placeholders filled, to be run as they are.

    >>> fill_command("train --name '{name} v1' --lr={lr}", {"name": "it's ours", "lr": "0.1"})
    ['train', '--name', "it's ours v1", '--lr=0.1']

    Raises BenchError for a line that cannot be split and for a placeholder without a value.
    """
    found = []
    for word in words(text):
        whole = filled(word, values)
        if whole is None:
            lost = next(each.name for each in placeholders(word) if each.name not in values)
            raise BenchError(f"unknown placeholder {{{lost}}}{near_miss(lost, values)}")
        found.append(whole)
    return found


def placed(values: Mapping[str, object]) -> dict[str, str]:
    """Return the texts that stand for words, numbers, booleans and nulls in a command: `0.1`, `true`, `null`."""
    return {name: value if isinstance(value, str) else json.dumps(value, default=str) for name, value in values.items()}
