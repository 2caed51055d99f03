"""Wrapping of labels at natural breaks."""

from __future__ import annotations

from rich.cells import cell_len


def wrapped(text: str, width: int) -> list[str]:
    """Wrap a label to lines of at most `width`, broken after spaces and punctuation, further lines indented by two.

    >>> wrapped("exact(temperature=geometric(10.0, 0.01))", 20)
    ['exact(temperature=', '  geometric(10.0,', '  0.01))']
    """
    lines = [""]
    for piece in pieces(text):
        if lines[-1].strip() and cell_len((lines[-1] + piece).rstrip()) > width:
            lines.append("  ")
        for character in piece:
            if cell_len((lines[-1] + character).rstrip()) > width:
                lines.append("  ")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def pieces(text: str) -> list[str]:
    """Split a text after spaces and punctuation.

    >>> pieces("denoiser / steps")
    ['denoiser ', '/', ' ', 'steps']
    """
    found = [""]
    for character in text:
        found[-1] += character
        if character in " ,(=·|/":
            found.append("")
    return found
