"""Answers to the parts of a suite's question, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.analysis.pairing import text
from harness.report.words import counted, together
from harness.results import Asked, Leaders, Run

NAMED = 3
"""Number of points that are named; the others are counted."""


def sentences(run: Run) -> list[str]:
    """Return one sentence for every part of the question."""
    return [f"{asked.ask} By {asked.metric}: {_answer(run, asked)}." for asked in run.answers]


def brief(run: Run) -> list[str]:
    """Return the same without the question, which stands in the report's head."""
    return [f"By {asked.metric}: {_answer(run, asked)}." for asked in run.answers]


def _answer(run: Run, asked: Asked) -> str:
    if not asked.problems:
        directs = run.metric(asked.metric).higher_is_better is not None
        return "no two rows can be ranked" if directs else "it describes, and no value of it is better; see the claims"
    said = _single(asked.problems[0]) if len(asked.problems) == 1 else _counted(asked.problems)
    return said + _against(run, asked)


def _single(found: Leaders) -> str:
    """Return the leaders of the only problem."""
    where = f" on {text(found.problem, list(found.problem))}" if any(found.problem.values()) else ""
    tied = f", tied with {together(found.tied, NAMED)}" if found.tied else ""
    beaten = f"; {counted(found.beaten, 'other')} beaten" if found.beaten else ""
    return f"{together(found.best, NAMED)} best{where}{tied}{beaten}"


def _counted(problems: Sequence[Leaders]) -> str:
    """Return in how many problems the points lead: `a best in 5 of 8 problems (alone in 3), b in 3`."""
    leads = Counter(name for each in problems for name in dict.fromkeys((*each.best, *each.tied)))
    best = Counter(name for each in problems for name in dict.fromkeys(each.best))
    alone = Counter(each.best[0] for each in problems if len(each.best) == 1 and not each.tied)
    order = sorted(leads, key=lambda name: (-alone[name], -best[name], -leads[name]))
    said = []
    for place, name in enumerate(order[:NAMED]):
        count = f"{leads[name]} of {len(problems)} problems" if place == 0 else f"{leads[name]}"
        only = f" (alone in {alone[name]})" if alone[name] else ""
        said.append(f"{name} {'best or tied ' if place == 0 else ''}in {count}{only}")
    more = [counted(len(order) - NAMED, "other") + " somewhere"] if len(order) > NAMED else []
    return ", ".join(said + more)


def _against(run: Run, asked: Asked) -> str:
    """Return the verdicts against the baseline, if there is one and all contenders are asked for."""
    found = [row.against[asked.metric] for row in run.cells if asked.metric in row.against]
    verdicts = Counter(entry.verdict for entry in found if entry.verdict is not None)
    if asked.axis is not None or not verdicts:
        return ""
    names = dict.fromkeys(entry.baseline for entry in found)
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return f"; against {together(list(names), 1)}: {said}"
