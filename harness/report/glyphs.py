"""Glyphs of a report, with a plain form for streams that cannot encode them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from harness.results import Verdict

_PLAIN: Mapping[int, str] = MappingProxyType(
    str.maketrans(
        {"±": "+-", "−": "-", "–": "-", "—": "-", "·": "|", "×": "x", "÷": "/", "…": "...", "↑": "^", "↓": "v"}
        | {"†": "!", "★": "*", "☆": "o", "✗": "x", "─": "-", "µ": "u", "≥": ">=", "≤": "<=", "≈": "~"}
        | {"’": "'", "‘": "'", "“": '"', "”": '"'}
    )
)
_MARKS: Mapping[Verdict, tuple[str, str]] = MappingProxyType(
    {
        Verdict.BETTER: ("▲", "B"),
        Verdict.WORSE: ("▼", "W"),
        Verdict.UNDECIDED: ("·", "?"),
        Verdict.EQUIVALENT: ("=", "="),
        Verdict.IDENTICAL: ("≡", "#"),
    }
)
_SIGNS: Mapping[bool | None, tuple[str, str]] = MappingProxyType(
    {True: ("✓", "+"), False: ("✗", "x"), None: ("–", "-")}
)
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


@dataclass(frozen=True)
class Glyphs:
    """Converts text to characters that a stream of this encoding can show.

    >>> Glyphs("ascii")("0.97 ± 0.01"), Glyphs("utf-8")("0.97 ± 0.01")
    ('0.97 +- 0.01', '0.97 ± 0.01')
    """

    encoding: str = "utf-8"

    def __call__(self, text: object) -> str:
        """Return one line without escape codes or control characters, every character encodable."""
        clean = _CONTROL.sub(" ", _ESCAPES.sub("", str(text)))
        if self.plain:
            clean = clean.translate(_PLAIN)
        return clean.encode(self.encoding, "replace").decode(self.encoding)

    def line(self, text: str) -> str:
        """Return a line likewise, with its indentation."""
        return " " * (len(text) - len(text.lstrip(" "))) + self(text.strip())

    @cached_property
    def plain(self) -> bool:
        """Whether the stream cannot encode one of the glyphs, so that all of them have their plain form."""
        glyphs = ["◇", *map(chr, _PLAIN), *(glyph for glyph, _ in (*_MARKS.values(), *_SIGNS.values()))]
        try:
            "".join(glyphs).encode(self.encoding)
        except UnicodeEncodeError:
            return True
        return False

    @property
    def control(self) -> str:
        """The one-character sign of a control, which is compared and not tested."""
        return "c" if self.plain else "◇"

    def mark(self, verdict: Verdict | None) -> str:
        """Return the one-character sign of a verdict; empty for None."""
        return "" if verdict is None else _MARKS[verdict][self.plain]

    def sign(self, passed: bool | None) -> str:
        """Return a one-character sign for passed or failed; None is neither."""
        return _SIGNS[passed][self.plain]
