"""Tree of a suite: words, items and pairs, each with its place."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.base import same_name
from harness.fields import Json
from harness.suite.source import Place, shown

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DIGITS = 300  # a longer number does not fit a float

_WORDS: dict[str, bool | float | None] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((f"{sign}{word}" for sign in ("", "+") for word in (".inf", ".Inf", ".INF")), math.inf)
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf)
    | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
)


def plain(text: str) -> bool | int | float | str | None:
    """Return the value of an unquoted scalar by the core schema of YAML 1.2; a number too large for a float stays text.

    >>> plain("1e-3"), plain("no"), plain("0x1F"), plain("1_000"), plain("~"), plain("12:30:45")
    (0.001, 'no', 31, '1_000', None, '12:30:45')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _BASED.fullmatch(text) and len(text) < _DIGITS * 4 // 5:
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= _DIGITS else text
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar: its value and its text as written, quotes and escapes resolved."""

    place: Place
    value: bool | int | float | str | None
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """A mapping; its keys are text and no two have the same name."""

    place: Place
    pairs: tuple[tuple[Word, Node], ...]

    def named(self) -> Iterator[tuple[str, Word, Node]]:
        """Yield (canonical key, key, value) in the order written."""
        for key, value in self.pairs:
            yield same_name(key.text), key, value

    def get(self, name: str) -> Node | None:
        """Return the value of a key, or None."""
        return next((value for key, _, value in self.named() if key == name), None)


Node = Word | Items | Pairs


def is_null(node: Node | None) -> bool:
    """Return whether nothing is written: no node at all, or null."""
    return node is None or (isinstance(node, Word) and node.value is None)


def words_of(node: Node) -> Iterator[Word]:
    """Yield every word of a node but the keys of its mappings, in the order of the file."""
    if isinstance(node, Word):
        yield node
        return
    for inner in node.items if isinstance(node, Items) else [value for _, value in node.pairs]:
        yield from words_of(inner)


def data(node: Node) -> Json:
    """Return the node as plain Python data."""
    if isinstance(node, Word):
        return node.value
    if isinstance(node, Items):
        return [data(item) for item in node.items]
    return {key.text: data(value) for key, value in node.pairs}


def got(node: Node) -> str:
    """Describe a node for a message, briefly for any size."""
    if isinstance(node, Items):
        return "a list" if node.items else "an empty list"
    if isinstance(node, Pairs):
        return "a mapping" if node.pairs else "an empty mapping"
    if isinstance(node.value, str):
        return shown(node.value)
    return shown(node.text)[1:-1] if node.text else "nothing"
