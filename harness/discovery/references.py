"""References of components: BibTeX in the class attribute `reference`, read into entries and merged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from harness.base import schemas
from harness.errors import BenchError

if TYPE_CHECKING:
    from harness.base import Component

ATTRIBUTE = "reference"
"""Name of the class attribute; a field of that name, as denoisers have, is none."""

_HEAD = re.compile(r"\s*@\s*(\w+)\s*\{\s*([^\s,{}\"#%'()=~\\]+)")
_FIELD = re.compile(r"\s*,\s*([A-Za-z][\w-]*)\s*=\s*")
_BARE = re.compile(r"\d+|[A-Za-z][\w.:-]*")
_END = re.compile(r"\s*,?\s*\}\s*")


class Entry(NamedTuple):
    """An entry of BibTeX: its type, its key, and (name, value) of its fields; a value has its braces, if any."""

    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        lines = [f"  {name} = {value}," for name, value in self.fields]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def of_class(cls: type[Component]) -> str:
    """Return the BibTeX of a component class, empty if it has none. Raises BenchError for anything else."""
    found = "" if ATTRIBUTE in schemas(cls) else getattr(cls, ATTRIBUTE, "")
    if not isinstance(found, str):
        raise BenchError(f"{ATTRIBUTE}: expected BibTeX as one text, got a {type(found).__name__}")
    entries(found)
    return found


def entries(text: str) -> list[Entry]:
    """Read BibTeX. Raises BenchError with what was expected where it does not fit, and for control characters."""
    if odd := next((letter for letter in text if not letter.isprintable() and not letter.isspace()), None):
        raise BenchError(f"{ATTRIBUTE}: no BibTeX: the character {odd!r} cannot be printed")
    return list(_entries(text))


def _entries(text: str) -> Iterator[Entry]:
    at = 0
    while text[at:].strip():
        head = _HEAD.match(text, at)
        if head is None:
            raise _expected("an entry such as `@article{key, title = {...}}`", text, at)
        at, fields = head.end(), list[tuple[str, str]]()
        while field := _FIELD.match(text, at):
            value, at = _value(text, field.end())
            fields.append((field[1].lower(), value))
        end = _END.match(text, at)
        if end is None:
            raise _expected("`, name = {value}` or `}`", text, at)
        at = end.end()
        yield Entry(head[1].lower(), head[2], tuple(fields))


def _value(text: str, at: int) -> tuple[str, int]:
    """Return the value that starts at a place, its white space collapsed and quotes as braces, and its end."""
    if text[at : at + 1] not in ("{", '"'):
        bare = _BARE.match(text, at)
        if bare is None:
            raise _expected("a value: {text}, a number or a name", text, at)
        return bare[0], bare.end()
    closing, depth = "}" if text[at] == "{" else '"', 0
    for place in range(at + 1, len(text)):
        if depth == 0 and text[place] == closing:
            return f"{{{' '.join(text[at + 1 : place].split())}}}", place + 1
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth < 0:
            break
    raise _expected("the end of this value, with as many } as {", text, at)


def _expected(what: str, text: str, at: int) -> BenchError:
    near = " ".join(text[at:].split())[:30]
    return BenchError(f"{ATTRIBUTE}: no BibTeX: expected {what} at {near!r}")


def merged(texts: Iterable[str]) -> list[Entry]:
    """Return the entries of several texts by key, each once; another entry of the same key gets a number after it."""
    found = sorted({entry for text in texts for entry in entries(text)}, key=lambda each: (each.key.lower(), each))
    seen: dict[str, int] = {}
    kept = []
    for entry in found:
        number = seen[entry.key.lower()] = seen.get(entry.key.lower(), 0) + 1
        kept.append(entry if number == 1 else entry._replace(key=f"{entry.key}-{number}"))
    return kept
