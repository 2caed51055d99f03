"""Names and sentences of a result on a page: one line of visible characters each, long names cut."""

from __future__ import annotations

import re

from harness.report.glyphs import Glyphs

LONGEST = 120
"""Number of characters of a name that are shown; a pointer that rests on it shows more."""
_TITLE = 1000
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of the text after them, which could make one name look like another."""
_INK = Glyphs()


def clean(text: object) -> str:
    """Return one line without control characters and without those that change the direction of text.

    >>> clean("a\\n\\u202eb") == "a \\ufffdb"
    True
    """
    return _DIRECTIONS.sub("\ufffd", _INK(text))


def short(text: object) -> str:
    """Return the beginning of a name."""
    return _cut(clean(text), LONGEST)


def hint(text: object) -> str:
    """Return a name for the title of an element: empty where all of it is shown anyway."""
    whole = clean(text)
    return _cut(whole, _TITLE) if len(whole) > LONGEST else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
