"""Answers to the parts of a suite's question."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from harness.analysis.pairing import text
from harness.report import overall
from harness.report.comparisons import common
from harness.report.sentence import Group, Sentence
from harness.report.words import counted, together
from harness.results import Asked, Leaders, Run

NAMED = 3
"""Number of points that are named; the others are counted."""


def sentences(run: Run) -> list[Sentence]:
    """Return what answers every part of the question: the leaders, then the verdicts that hold in all problems."""
    return [sentence for each in run.answers for sentence in (_led(run, each, f"{each.ask} "), *_judged(run, each))]


def brief(run: Run) -> list[Sentence]:
    """Return the same with every part of the question in a line of its own, above what answers it."""
    said: list[Sentence] = []
    for each in run.answers:
        below = [dataclasses.replace(sentence, indent=2) for sentence in (_led(run, each), *_judged(run, each))]
        said += [Sentence(each.ask), *below]
    return said


def _led(run: Run, asked: Asked, ask: str = "") -> Sentence:
    """Return the leaders: of the only problem, or those in most of them."""
    head = f"{ask}By {asked.metric}"
    if not asked.problems:
        directs = run.metric(asked.metric).higher_is_better is not None
        why = "no two rows can be ranked" if directs else "it describes, and no value of it is better; see the claims"
        return Sentence(f"{head}: {why}.")
    return Sentence(head, _single(asked.problems[0]) if len(asked.problems) == 1 else _counted(asked.problems))


def _judged(run: Run, asked: Asked) -> list[Sentence]:
    """Return the verdicts against the baseline, if there is one and all contenders are asked for."""
    if asked.axis is not None:
        return []
    metric = run.metric(asked.metric)
    found = common(run, metric)
    return [*overall.sentences(run, metric), *([found] if found else _counts(run, asked))]


def _single(found: Leaders) -> tuple[Group, ...]:
    """Return the leaders of the only problem."""
    where = f" on {text(found.problem, list(found.problem))}" if any(found.problem.values()) else ""
    groups = [Group("", (f"{together(found.best, NAMED)} best{where}",), lead=True)]
    groups += [Group("tied with the best", found.tied)] if found.tied else []
    groups += [Group("", (f"{counted(found.beaten, 'other')} beaten",), lead=True)] if found.beaten else []
    return tuple(groups)


def _counted(problems: Sequence[Leaders]) -> tuple[Group, ...]:
    """Return in how many problems the points lead: `a best or tied in 5 of 8 problems (3 alone), b in 3`."""
    leads = Counter(name for each in problems for name in dict.fromkeys((*each.best, *each.tied)))
    best = Counter(name for each in problems for name in dict.fromkeys(each.best))
    alone = Counter(each.best[0] for each in problems if len(each.best) == 1 and not each.tied)
    order = sorted(leads, key=lambda name: (-alone[name], -best[name], -leads[name]))
    said = []
    for place, name in enumerate(order):
        count = f"{leads[name]} of {len(problems)} problems" if place == 0 else f"{leads[name]}"
        only = f" ({alone[name]} alone)" if alone[name] else ""
        said.append(f"{name} {'best or tied ' if place == 0 else ''}in {count}{only}")
    return (Group("", tuple(said), lead=True),)


def _counts(run: Run, asked: Asked) -> list[Sentence]:
    """Return the number of comparisons by verdict, for where no contender has one verdict in all problems."""
    found = [row.against[asked.metric] for row in run.cells if asked.metric in row.against]
    verdicts = Counter(entry.verdict for entry in found if entry.verdict is not None)
    if not verdicts:
        return []
    names = dict.fromkeys(entry.baseline for entry in found)
    said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return [Sentence(f"Against {together(list(names), 1)}, no verdict holds in all problems: {said}.")]
