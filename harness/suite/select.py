"""`-k EXPR`: selection of cells, as in pytest: words joined by `and`, `or`, `not` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.errors import BenchError

Match = Callable[[str], bool]


def expression(text: str) -> Match:
    """Return a test for a cell's labels: a word matches if it is a part of them, ignoring case.

    Raises BenchError for an invalid expression.

    >>> match = expression("focal and not digits")
    >>> match("focal(gamma=1.0) wine"), match("focal digits")
    (True, False)
    """
    tokens = re.findall(r"[()]|[^\s()]+", text)
    match, rest = _either(tokens, text)
    if rest:
        raise _unreadable(text, rest[0])
    return lambda labels: match(labels.lower())


def _either(tokens: list[str], text: str) -> tuple[Match, list[str]]:
    left, rest = _both(tokens, text)
    while rest and rest[0] == "or":
        right, rest = _both(rest[1:], text)
        left = _join(any, left, right)
    return left, rest


def _both(tokens: list[str], text: str) -> tuple[Match, list[str]]:
    left, rest = _one(tokens, text)
    while rest and rest[0] == "and":
        right, rest = _one(rest[1:], text)
        left = _join(all, left, right)
    return left, rest


def _join(how: Callable[[list[bool]], bool], left: Match, right: Match) -> Match:
    return lambda labels: how([left(labels), right(labels)])


def _one(tokens: list[str], text: str) -> tuple[Match, list[str]]:
    if not tokens:
        raise _unreadable(text, "its end")
    head, rest = tokens[0], tokens[1:]
    if head == "not":
        inner, rest = _one(rest, text)
        return (lambda labels: not inner(labels)), rest
    if head == "(":
        inner, rest = _either(rest, text)
        if not rest or rest[0] != ")":
            raise _unreadable(text, rest[0] if rest else "its end")
        return inner, rest[1:]
    if head in (")", "and", "or"):
        raise _unreadable(text, head)
    return (lambda labels: head.lower() in labels), rest


def _unreadable(text: str, where: str) -> BenchError:
    return BenchError(f"-k {text!r}: expected a word before {where}; write for example 'focal and not digits'")
