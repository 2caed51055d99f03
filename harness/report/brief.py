"""The answer in few lines: whole where it fits, else a line for each part of it, and the rest counted."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from harness.report import answer, asked, claimed
from harness.report.words import counted
from harness.results import Run

MOST = 12
"""Number of lines of an answer, whatever the size of the suite."""


def lines(run: Run, width: int, most: int = MOST) -> list[str]:
    """Return the answer in at most so many lines of `width` columns."""
    parts = answer.parts(run)
    whole = [line for part in parts for sentence in part for line in _cut(sentence, width, len(sentence))]
    if len(whole) <= most:
        return whole
    asks, claims = asked.brief(run)[: most // 2], claimed.ordered(run)
    left = most - len(parts.shard) - len(asks) - len(parts.missing)
    compared = _first(parts.compared, left - min(len(claims), left // 2))
    told = len(claims) if len(claims) <= left - len(compared) else left - len(compared) - 1
    said = [claimed.brief(run, each) for each in claims[:told]]
    sentences = [*parts.shard, *asks, *compared, *said, *claimed.rest(claims[told:], " below"), *parts.missing]
    return _fitted(sentences, width, most)


def _fitted(sentences: Sequence[str], width: int, most: int) -> list[str]:
    """Return every sentence in one line, or in more while there are lines left, the first sentences first."""
    shown = [_cut(each, width, 1) for each in sentences]
    for height in (2, 3, 4):
        for place, sentence in enumerate(sentences):
            taller = _cut(sentence, width, height)
            if sum(map(len, shown)) - len(shown[place]) + len(taller) <= most:
                shown[place] = taller
    return [line for lines in shown for line in lines]


def _first(sentences: Sequence[str], room: int) -> list[str]:
    """Return as many sentences as there is room for; the last one counts the others."""
    if len(sentences) <= room:
        return [*sentences]
    return [*sentences[: room - 1], f"-v shows {counted(len(sentences) - room + 1, 'more sentence')}."]


def _cut(sentence: str, width: int, height: int) -> list[str]:
    """Return a sentence in so many lines, cut between words."""
    return textwrap.wrap(sentence, width, max_lines=max(height, 1), placeholder=" ...", break_on_hyphens=False)
