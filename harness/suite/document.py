"""A suite file as nodes, before components are known."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchError, near_miss
from harness.fields import Json
from harness.suite.compose import compose
from harness.suite.imports import contenders, imports
from harness.suite.nodes import Items, Node, Pairs, Word, got, words_of
from harness.suite.overrides import override
from harness.suite.source import Findings, Place, Source

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table

LIMIT = 1 << 20
"""Largest suite file, in bytes."""


@dataclass(frozen=True)
class Document:
    """A suite that was read and not yet checked. `findings` are mistakes that do not stop the reading."""

    path: Path
    root: Pairs
    findings: Findings

    @property
    def plugins(self) -> list[tuple[str, str]]:
        """Return (text, place) of every plugin named; entries that are not text are left for the check to report."""
        node = self.root.get("plugins")
        entries = node.items if isinstance(node, Items) else (node,)
        return [(e.value, str(e.place)) for e in entries if isinstance(e, Word) and isinstance(e.value, str)]

    def imports(self, table: Table | None = None) -> list[tuple[str, str]]:
        """Return (kind, `module:attribute`) of everything that looks like an import path where a component is expected.

        Components inside fields are found if the field has the name of their kind, and with a table everywhere.
        """
        return imports(self.root, table or {})

    def contenders(self, table: Table) -> list[tuple[str, str]]:
        """Return (kind, name) of every component under `vary`, with those inside fields."""
        return contenders(self.root, table)

    def place_of(self, kind: str, values: Sequence[Json]) -> Place:
        """Return the place of the first of some values, in the innermost node below a kind that has all of them."""
        above = [self.root.get("vary"), self.root.get("reference")]
        nodes = [node for key in above if isinstance(key, Pairs) and (node := key.get(kind)) is not None]
        ways = (_innermost(node, some) for node in nodes for some in (values, values[:1]))
        return next(filter(None, ways), self.root.place)

    def place_of_text(self, text: str) -> Place:
        """Return the place of a text anywhere in the document, a key or a value; that of the document without one."""
        return _innermost(self.root, [text]) or _key(self.root, text) or self.root.place

    def override(self, overrides: Mapping[str, str] | None) -> Document:
        """Return this document with dotted keys set to YAML texts, as by `--set KEY=TEXT`."""
        findings = self.findings.copy()
        root = self.root
        for key, text in (overrides or {}).items():
            root = override(root, key, text, findings)
        return replace(self, root=root, findings=findings)


def _innermost(node: Node, values: Sequence[Json]) -> Place | None:
    if not isinstance(node, Word):
        inner = node.items if isinstance(node, Items) else [value for _, value in node.pairs]
        found = next(filter(None, (_innermost(each, values) for each in inner)), None)
        if found is not None:
            return found
    words = list(words_of(node))
    places = [word.place for word in words if word.value == values[0]]
    return places[0] if places and all(any(word.value == value for word in words) for value in values) else None


def _key(node: Node, text: str) -> Place | None:
    """Return the place of the first key that is this text."""
    if isinstance(node, Word):
        return None
    pairs = node.pairs if isinstance(node, Pairs) else ()
    places = (key.place for key, _ in pairs if key.text == text)
    inner = node.items if isinstance(node, Items) else [value for _, value in pairs]
    return next(places, None) or next(filter(None, (_key(each, text) for each in inner)), None)


def read(path: str | os.PathLike[str]) -> Document:
    """Read a suite file. Raises BenchError, one line with the place, for a file that cannot be read as YAML."""
    name = os.fspath(path)
    source = Source(name, _decode(name, _bytes(name)))
    findings = Findings()
    root = compose(source, findings)
    if root is None:
        raise BenchError("the file is empty: a suite needs at least protocol and vary", f"{name}:1:1")
    if not isinstance(root, Pairs):
        raise BenchError(f"a suite is a mapping of keys, got {got(root)}", str(root.place))
    return Document(Path(name), root, findings)


def _bytes(name: str) -> bytes:
    try:
        mode = os.stat(name).st_mode
        if stat.S_ISDIR(mode):
            raise BenchError("is a directory, a suite is a file", name)
        if not stat.S_ISREG(mode):
            raise BenchError("is not a regular file", name)
        with open(name, "rb") as file:
            content = file.read(LIMIT + 1)
    except FileNotFoundError:
        beside = [file.name for file in Path(name).parent.glob("*.y*ml")]
        raise BenchError(f"no such file{near_miss(Path(name).name, beside)}", name) from None
    except OSError as error:
        raise BenchError((error.strerror or str(error)).lower(), name) from None
    except ValueError:
        raise BenchError("is not a file name", repr(name)) from None
    if len(content) > LIMIT:
        raise BenchError(f"larger than {LIMIT} bytes: this is no suite", f"{name}:1:1")
    return content


def _decode(name: str, content: bytes) -> str:
    if b"\0" in content:
        raise BenchError("a binary file, a suite is text", _place(name, content, content.index(b"\0")))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        raise BenchError("not UTF-8: save the file as UTF-8", _place(name, content, start)) from None


def _place(name: str, content: bytes, offset: int) -> str:
    lines = Source(name, content[:offset].decode("utf-8-sig", "replace")).lines
    return str(Place(Source(name, ""), len(lines), len(lines[-1]) + 1))
