"""Import paths in a suite, found before their components are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness.base import same_name
from harness.dynamic import DYNAMIC
from harness.fields import kind_in
from harness.suite.nodes import Items, Node, Pairs, Word

if TYPE_CHECKING:
    from harness.discovery.descriptions import Table

KINDS = (
    "dataset", "model", "trainer", "loss", "transform", "schedule", "spacing", "denoiser", "sampler", "variance",
    "prior", "dissimilarity", "feature", "metric", "protocol",
)  # fmt: skip
"""Words allowed before a colon in `KIND:NAME`."""

IMPORT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
"""Form `module:attribute`."""


def split_kind(text: str) -> tuple[str | None, str]:
    """Split into (KIND or None, name): `loss:focal` has a kind, `focal` and `module:attribute` have none."""
    head, colon, rest = text.strip().partition(":")
    known = bool(colon) and same_name(head) in KINDS
    return (same_name(head), same_name(rest)) if known else (None, same_name(text.strip()))


def imports(root: Pairs, table: Table) -> list[tuple[str, str]]:
    """Return (kind, `module:attribute`) under vary, metrics, trainer and reference, each once, in the order written."""
    vary, reference = root.get("vary"), root.get("reference")
    places: list[tuple[str, Node | None]] = [("metric", root.get("metrics")), ("trainer", root.get("trainer"))]
    if isinstance(reference, Pairs):
        places.append(("dataset", reference.get("dataset")))
    if isinstance(vary, Pairs):
        places = [(kind, value) for kind, _, value in vary.named()] + places
    return list(dict.fromkeys(pair for kind, node in places for pair in imports_below(node, kind, table)))


def imports_below(node: Node | None, kind: str, table: Table) -> list[tuple[str, str]]:
    """Return (kind, `module:attribute`) in what is written for one kind, each once."""
    return [(each, name) for each, name in dict.fromkeys(_in(node, kind, table)) if IMPORT.fullmatch(name)]


def contenders(root: Pairs, table: Table) -> list[tuple[str, str]]:
    """Return (kind, name) of every component under vary, each once, in the order written."""
    vary = root.get("vary")
    axes = [(kind, value) for kind, _, value in vary.named() if kind in KINDS] if isinstance(vary, Pairs) else []
    return list(dict.fromkeys(pair for kind, node in axes for pair in _in(node, kind, table)))


def _in(node: Node | None, kind: str, table: Table) -> Iterator[tuple[str, str]]:
    if isinstance(node, Items):
        for item in node.items:
            yield from _in(item, kind, table)
    elif isinstance(node, Word) and isinstance(node.value, str):
        yield from _named(node.value, kind)
    elif isinstance(node, Pairs):
        for key, fields in node.pairs:
            if key.text in ("as", *DYNAMIC):
                continue
            if key.text == "sweep":
                yield from _in(fields, kind, table)
                continue
            yield from _named(key.text, kind)
            yield from _nested(kind, key.text, fields, table)


def _named(text: str, kind: str) -> Iterator[tuple[str, str]]:
    said, name = split_kind(text)
    if said in (None, kind):
        yield kind, name


def _nested(kind: str, text: str, fields: Node, table: Table) -> Iterator[tuple[str, str]]:
    entry = table.get((kind, split_kind(text)[1]))
    known = entry.get("fields", {}) if entry is not None else {}
    if isinstance(fields, Pairs):
        for name, _, value in fields.named():
            inner = kind_in(known[name]["schema"]) if name in known else name if name in KINDS else None
            if inner:
                yield from _in(value, inner, table)
