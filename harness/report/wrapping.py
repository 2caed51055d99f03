"""Wrapping of labels at natural breaks, and of sentences between words."""

from __future__ import annotations

from rich.cells import cell_len

_BREAKS = " ,(=·|"
_WITHIN = "_.-/"
"""Signs after which only what is too long for a line is broken."""


def wrapped(text: str, width: int) -> list[str]:
    """Wrap a label to lines of at most `width`, further lines indented by two.

    It breaks after spaces and punctuation; what is too long for a line, after underscores, dots, hyphens and slashes;
    a word that is too long, anywhere.

    >>> wrapped("exact(temperature=geometric(10.0, 0.01))", 20)
    ['exact(temperature=', '  geometric(10.0,', '  0.01))']
    >>> wrapped("metrics.test_accuracy ↑", 20)
    ['metrics.test_', '  accuracy ↑']
    """
    lines = [""]
    for piece in _fitting(text, width):
        if lines[-1].strip() and cell_len((lines[-1] + piece).rstrip()) > width:
            lines.append("  ")
        for character in piece:
            if cell_len((lines[-1] + character).rstrip()) > width:
                lines.append("  ")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def _fitting(text: str, width: int) -> list[str]:
    """Split a text into pieces, those that no line holds into smaller ones."""
    found: list[str] = []
    for piece in pieces(text):
        found += pieces(piece, _WITHIN) if cell_len(piece.rstrip()) > width - 2 * bool(found) else [piece]
    return found


def pieces(text: str, breaks: str = _BREAKS) -> list[str]:
    """Split a text after spaces and punctuation.

    >>> pieces("denoiser / steps")
    ['denoiser ', '/ ', 'steps']
    """
    found = [""]
    for character in text:
        found[-1] += character
        if character in breaks:
            found.append("")
    return found


def longest_word(text: str) -> int:
    """Return the width of the longest part of a label that wrapping keeps whole.

    >>> longest_word("excess_cross_entropy [nats]")
    7
    """
    return max(cell_len(part.rstrip()) for part in pieces(text, _BREAKS + _WITHIN))


def filled(text: str, width: int, first: str = "", after: str = "") -> list[str]:
    """Wrap a sentence between words to lines of at most `width` columns; what is longer is broken anywhere.

    >>> filled("worse: 交叉熵, hinge", 10, after="  ")
    ['worse:', '  交叉熵,', '  hinge']
    """
    lines = [first]
    for word in text.split():
        gap = " " if lines[-1].strip() else ""
        if gap and cell_len(lines[-1] + gap + word) > width:
            lines.append(after)
            gap = ""
        lines[-1] += gap
        for character in word:
            if cell_len(lines[-1] + character) > width and lines[-1].strip():
                lines.append(after)
            lines[-1] += character
    return lines
