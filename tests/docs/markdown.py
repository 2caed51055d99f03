"""Pieces of Markdown: tables, words of code, docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

Cells = Iterable[Sequence[str]]


def table(head: Sequence[str], rows: Cells) -> str:
    """A table of Markdown."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def code(text: object) -> str:
    """A word of code."""
    return f"`{text}`" if text not in ("", None) else ""


def first(doc: str | None) -> str:
    """The first paragraph of a docstring on one line."""
    return escaped(" ".join((doc or "").split("\n\n")[0].split()))


def escaped(text: str) -> str:
    """Text whose stars outside of code are stars, and no emphasis."""
    pieces = text.split("`")
    return "`".join(piece.replace("*", "\\*") if place % 2 == 0 else piece for place, piece in enumerate(pieces))


def paragraph(doc: str | None) -> str:
    """A docstring as paragraphs of one line each."""
    return "\n\n".join(escaped(" ".join(part.split())) for part in inspect.cleandoc(doc or "").split("\n\n"))
