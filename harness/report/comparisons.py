"""Comparisons with the baseline in one metric, as sentences: one a problem, or one a contender if there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from harness.analysis.pairing import naming, text
from harness.report.words import NO_REASON, about, counted, reason, singular
from harness.results import Comparison, IntervalKind, MetricInfo, ReasonKind, Row, Run, Verdict

PROBLEMS = 6
"""Number of problems up to which each has a sentence; of more, each contender has one."""
NAMED = 4
"""Number of rows of a verdict, or of reasons, that are named; others are counted."""
CONTENDERS = 6
"""Number of contenders that have a sentence, of many problems; others are counted."""
_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.BETTER: "better",
        Verdict.WORSE: "worse",
        Verdict.EQUIVALENT: "equivalent",
        Verdict.IDENTICAL: "identical",
        Verdict.UNDECIDED: "undecided",
    }
)
"""The words of verdicts, in the order in which they are told."""


class Compared(NamedTuple):
    """A row with its comparison in the metric."""

    row: Row
    entry: Comparison


def compared(run: Run, metric: MetricInfo) -> list[Compared]:
    """Return every row that is compared with its baseline; controls stand beside the contenders."""
    found = [Compared(row, row.against[metric.label]) for row in run.cells if metric.label in row.against]
    return [each for each in found if not (each.entry.why and each.entry.why.kind is ReasonKind.CONTROL)]


def sentences(run: Run, metric: MetricInfo) -> Iterator[str]:
    """Yield what the comparisons in a metric show."""
    found = compared(run, metric)
    rows, places = naming(run)
    verdicts = {each.entry.verdict for each in found} - {None}
    if not found:
        yield f"Nothing was compared in {metric.label}: only the baseline's row was measured."
    elif verdicts == {Verdict.UNDECIDED}:
        yield f"No row differs significantly from its baseline in {metric.label}."
    if verdicts:
        problems = _grouped(found, places)
        lead = f"In {metric.label}, {_baselines(found)}:"
        if len(problems) == 1:
            yield from (f"{lead} {line}" for line in _by_problem(run, metric, problems, rows))
        else:
            yield lead
            many = len(problems) > PROBLEMS
            yield from _by_row(metric, found, rows) if many else _by_problem(run, metric, problems, rows)
    yield from _silent([each for each in found if each.entry.verdict is None])


def _grouped(found: Sequence[Compared], axes: Sequence[str]) -> dict[str, list[Compared]]:
    groups: dict[str, list[Compared]] = {}
    for each in found:
        groups.setdefault(text(each.row.vary, axes), []).append(each)
    return groups


def _baselines(found: Sequence[Compared]) -> str:
    names = dict.fromkeys(each.entry.baseline for each in found)
    return f"against {next(iter(names))}" if len(names) == 1 else "each against its own baseline"


def _by_problem(
    run: Run, metric: MetricInfo, problems: Mapping[str, Sequence[Compared]], rows: Sequence[str]
) -> Iterator[str]:
    """Yield one sentence for each problem, with its rows by verdict."""
    for place, members in problems.items():
        clauses = [_clause(run, metric, verdict, members, rows) for verdict in _WORDS]
        said = "; ".join(filter(None, clauses))
        if said:
            yield f"{place and f'{place}: '}{said}."


def _clause(run: Run, metric: MetricInfo, verdict: Verdict, members: Sequence[Compared], rows: Sequence[str]) -> str:
    """Return the rows of a verdict, the clearest first and with its numbers; empty if there are none."""
    found = sorted((each for each in members if each.entry.verdict is verdict), key=_clearness)
    names = [text(each.row.vary, rows) for each in found]
    if not found:
        return ""
    names[0] += _evidence(run, metric, found[0].entry)
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return f"{_WORDS[verdict]}: {', '.join(names[:NAMED] + more)}"


def _clearness(each: Compared) -> tuple[float, float]:
    """Sort key: undecided comparisons by the seeds that would decide them, others by size."""
    entry = each.entry
    if entry.verdict is Verdict.UNDECIDED:
        return (entry.needed.seeds if entry.needed.seeds is not None else float("inf"), entry.p or 0.0)
    return (-abs(entry.difference or 0.0), entry.p or 0.0)


def _evidence(run: Run, metric: MetricInfo, entry: Comparison) -> str:
    """Return the numbers of a comparison in brackets, and what would decide it."""
    if entry.verdict is Verdict.IDENTICAL:
        return ""
    said = [size(metric, entry) + fewer(run, entry)]
    said += [decides(entry, run.replicates)] if entry.verdict is Verdict.UNDECIDED else []
    return f" ({'; '.join(said)})"


def size(metric: MetricInfo, entry: Comparison) -> str:
    """Return a difference, or a ratio, with its interval: `+0.0124, 0.00777 to 0.0169`."""
    if entry.ratio is not None:
        ratio = entry.ratio
        return f"times {ratio.ratio:.3g}{_interval(ratio.low, ratio.high)}"
    unit = f" {metric.unit}" if metric.unit else ""
    width = (entry.high or 0.0) - (entry.low or 0.0)
    difference = entry.difference or 0.0
    shown = 0.0 if abs(difference) < 1e-9 * width else difference  # what rounding leaves of a difference of 0
    return f"{shown:+.3g}{unit}{_interval(entry.low, entry.high)}"


def _interval(low: float | None, high: float | None) -> str:
    return ", no interval" if low is None or high is None else f", {low:.3g} to {high:.3g}"


def fewer(run: Run, entry: Comparison) -> str:
    """Say over how many seeds a difference is, where it is over fewer than asked for."""
    if not entry.partial or entry.why is None or entry.why.count is None or entry.why.total is None:
        return ""
    return f", over {entry.why.total - entry.why.count} of {entry.why.total} {run.replicates}"


def decides(entry: Comparison, noun: str) -> str:
    """Describe what would decide a comparison if the observed difference is the true one; `noun` is seeds or blocks."""
    seeds, examples = entry.needed.seeds, entry.needed.examples
    if entry.p == 1 and seeds is None and examples is None:
        return "no difference was seen"
    if seeds is None and examples is None:
        also = " nor more test examples alone" if entry.interval is not IntervalKind.SEEDS else ""
        return f"{f'neither more {noun}' if also else f'no number of {noun}'}{also} would decide it"
    if seeds is None:
        return f"no number of {noun} decides it, about {about(examples or 0)} more test examples would"
    other = f" or {about(examples)} more test examples" if examples is not None else ""
    return f"needs about {about(seeds)} more {singular(noun) if seeds == 1 else noun}{other}"


def _by_row(metric: MetricInfo, found: Sequence[Compared], rows: Sequence[str]) -> Iterator[str]:
    """Yield one sentence for each contender, with the number of problems by verdict; the best first."""
    groups = sorted(_grouped(found, rows).items(), key=lambda item: _lead(item[1]))
    for name, members in groups[:CONTENDERS]:
        yield f"{name}: {_over_problems(metric, members)}."
    if rest := groups[CONTENDERS:]:
        members = [each for _, group in rest for each in group]
        yield f"{counted(len(rest), 'more contender')}: {_over_problems(metric, members, 'comparisons')}."


def _lead(members: Sequence[Compared]) -> int:
    """Sort key: the number of problems on which a contender is worse, less those on which it is better."""
    verdicts = [each.entry.verdict for each in members]
    return verdicts.count(Verdict.WORSE) - verdicts.count(Verdict.BETTER)


def _over_problems(metric: MetricInfo, members: Sequence[Compared], noun: str = "problems") -> str:
    """Return `better in 12 of 16 problems (+0.01 to +0.3), undecided in 4`."""
    said: list[str] = []
    for verdict, word in _WORDS.items():
        own = [each for each in members if each.entry.verdict is verdict]
        if own:
            total = f" of {len(members)} {noun}" if not said else ""
            sizes = verdict in (Verdict.BETTER, Verdict.WORSE)
            said.append(f"{word} in {len(own)}{total}{_spread(metric, own) if sizes else ''}")
    return ", ".join(said) or "without a verdict"


def _spread(metric: MetricInfo, members: Sequence[Compared]) -> str:
    """Return the smallest and the largest difference of some comparisons in brackets."""
    ratios = [each.entry.ratio.ratio for each in members if each.entry.ratio is not None]
    sizes = sorted(ratios or [each.entry.difference or 0.0 for each in members], key=abs)
    form = "times {:.3g}" if ratios else "{:+.3g}"
    unit = f" {metric.unit}" if metric.unit and not ratios else ""
    ends = dict.fromkeys((form.format(sizes[0]), form.format(sizes[-1])))
    return f" ({' to '.join(ends)}{unit})"


def _silent(found: Sequence[Compared]) -> list[str]:
    """Return sentences on the number of comparisons without a verdict, by reason."""
    reasons = Counter(NO_REASON if each.entry.why is None else reason(each.entry.why) for each in found)
    return [
        f"{n} comparison{'s have' if n > 1 else ' has'} no verdict: {why}." for why, n in reasons.most_common(NAMED)
    ]
