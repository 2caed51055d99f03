"""The answer in few lines: whole where it fits, else with shorter lists, and the rest counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.report import answer, asked, claimed
from harness.report.sentence import Sentence
from harness.results import Outcome, Run

MOST = 12
"""Number of lines of an answer, whatever the size of the suite."""
_CLAIMS = 4
"""Lines that claims have even if the rest needs more."""
_MISSING = 2
"""Lines on what did not finish."""


class Brief(NamedTuple):
    """Lines of an answer, and whether they are all of it."""

    lines: list[str]
    whole: bool


def lines(run: Run, width: int, most: int = MOST) -> list[str]:
    """Return the answer in at most so many lines of `width` columns."""
    return brief(run, width, most).lines


def brief(run: Run, width: int, most: int = MOST) -> Brief:
    """Return the answer in at most so many lines of `width` columns, and whether it is whole."""
    parts = answer.parts(run)
    asks = asked.brief(run)
    everything = [*parts.shard, *asks, *parts.compared, *parts.claims, *parts.missing]
    whole = [line for sentence in everything for line in sentence.lines(width, most + 1)[0]]
    if len(whole) <= most and all(sentence.lines(width, most)[1] for sentence in everything):
        return Brief(whole, True)
    claims, missing = claimed.ordered(run), parts.missing[:_MISSING]
    left = most - len(parts.shard) - len(missing)
    lead = _first([*asks, *parts.compared], left - min(len(claims), _CLAIMS))
    left -= len(lead)
    told = len(claims) if len(claims) <= left else left - 1
    said = [Sentence(claimed.brief(run, each), urgent=each.outcome is Outcome.FAILS) for each in claims[:told]]
    rest = map(Sentence, claimed.rest(claims[told:], " below"))
    return Brief(_fitted([*parts.shard, *lead, *said, *rest, *missing], width, most), False)


def _fitted(sentences: Sequence[Sentence], width: int, most: int) -> list[str]:
    """Return every sentence in one line, or in more while there are lines left, in their order."""
    shown = [each.lines(width, 1) for each in sentences]
    order = sorted(range(len(sentences)), key=lambda place: sentences[place].place)
    for height in range(2, most):
        for place in order:
            taller = sentences[place].lines(width, height)
            grown = sum(len(found) for found, _ in shown) - len(shown[place][0]) + len(taller[0])
            if not shown[place][1] and grown <= most:
                shown[place] = taller
    return [line for found, _ in shown for line in found]


def _first(sentences: Sequence[Sentence], room: int) -> list[Sentence]:
    """Return as many sentences as there is room for; the last one counts the others."""
    if len(sentences) <= room:
        return [*sentences]
    return [*sentences[: room - 1], Sentence(f"and {len(sentences) - room + 1} more: -v")]
