"""Sentences around the tables: the setting, undecided comparisons, the legend, issues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from harness.report.columns import FEWER
from harness.report.glyphs import Glyphs
from harness.report.number_format import duration, p_value
from harness.report.parts import Entry, Problem, View, ranked
from harness.report.words import (
    FEW,
    NO_REASON,
    about,
    blocks,
    compared_features,
    counted,
    issue,
    reason,
    singular,
    together,
)
from harness.results import IntervalKind, Looks, Needed, Rank, ReasonKind, Row, Verdict

SOURCES: Mapping[IntervalKind, str] = MappingProxyType(
    {
        IntervalKind.BOTH: "seeds and test examples",
        IntervalKind.SEEDS: "seeds",
        IntervalKind.EXAMPLES: "test examples",
    }
)
"""Source of variation of an interval."""
_SHOWN = (Verdict.BETTER, Verdict.WORSE, Verdict.UNDECIDED, Verdict.EQUIVALENT, Verdict.IDENTICAL)
_DECIDED = (Verdict.BETTER, Verdict.WORSE)
_NOT_FINITE = (ReasonKind.NOT_FINITE, ReasonKind.INFINITE, ReasonKind.BOTH_SIGNS)
_STARS = ((Rank.BEST, "★ best"), (Rank.TIED, "☆ tied with the best"))
_ARROWS = ((True, "↑ higher is better"), (False, "↓ lower is better"))


def setting(view: View) -> list[str]:
    """Return protocol, size, device, version and time."""
    environment = view.run.environment
    torch = environment.get("torch")
    most = max((len(problem.entries) for problem in view.problems), default=0)
    parts = [view.run.protocol, *view.constants, seeds(view)]
    size = f"{counted(len(view.problems), 'problem')} × {counted(most, 'contender')}" if most else ""
    parts += [size, str(environment.get("device") or ""), f"torch {torch}" if torch else "", _time(view)]
    return [part for part in parts if part]


def seeds(view: View) -> str:
    """Return the number of the rows' seeds, or blocks, in words; empty if no row has any."""
    counts = sorted({len(entry.row.seeds) for entry in view.entries if entry.row.seeds})
    if len(counts) > 1:
        return f"{counts[0]} to {counts[-1]} {view.run.replicates}"
    return counted(counts[0], singular(view.run.replicates)) if counts else ""


def _time(view: View) -> str:
    """Return the run's own time, or else the sum of the rows' times."""
    if view.run.seconds is not None:
        return duration(view.run.seconds)
    spent = sum(entry.row.seconds or 0 for entry in view.entries)
    return f"{duration(spent)} of measuring" if spent else ""


def undecided(view: View) -> list[str]:
    """Return what would decide the undecided comparisons; contenders with the same need together."""
    needs: dict[tuple[str, str], list[str]] = {}
    for entry in view.entries:
        found = entry.against(view.primary)
        if found is not None and found.verdict is Verdict.UNDECIDED:
            need = "no difference was seen" if found.p == 1 else _need(found.needed, view.run.replicates)
            needs.setdefault((entry.place, need), []).append(entry.label)
    return [f"{together(labels)}{place and f' on {place}'}: {need}" for (place, need), labels in needs.items()]


def _need(needed: Needed, noun: str) -> str:
    nouns = ((needed.seeds, f"more {singular(noun)}"), (needed.examples, "more test example"))
    ways = [f"about {about(count)} {what}{'' if count == 1 else 's'}" for count, what in nouns if count]
    return " or ".join(ways) if ways else f"neither {noun} nor test examples alone would decide it"


def legend(view: View, ink: Glyphs) -> list[list[str]]:
    """Return the kind of interval and the number of comparisons; then the meaning of the signs that occur."""
    figures = "; ".join(part for part in (_interval(view), _bootstrap(view), _family(view)) if part)
    lines = [[figures] if figures else [], [*_verdicts(view, ink), *_stars(view), *_arrows(view), *_fewer(view, ink)]]
    return [line for line in lines if line]


def intervals(view: View, names: Sequence[str]) -> dict[IntervalKind, list[str]]:
    """Return kind of interval -> the metrics with such an interval."""
    kinds: dict[IntervalKind, list[str]] = {}
    for name in names:
        metrics = [entry.metric(name) for entry in view.entries]
        for kind in sorted({metric.interval for metric in metrics if metric and metric.low is not None}):
            kinds.setdefault(kind, []).append(name)
    return kinds


def _interval(view: View) -> str:
    kinds = intervals(view, view.names)
    several = len(kinds) > 1
    sources = {**SOURCES, IntervalKind.SEEDS: view.run.replicates}
    texts = [sources[kind] + (f" ({', '.join(names)})" if several else "") for kind, names in kinds.items()]
    return f"95 % intervals over {', over '.join(texts)}" if texts else ""


def _bootstrap(view: View) -> str:
    there = any(entry.bootstrap(name) for entry in view.entries for name in view.names)
    return "within a seed: 95 % by the bootstrap, ends averaged over seeds" if there else ""


def _family(view: View) -> str:
    sizes = sorted({each.family for each in view.comparisons if each.family and each.p_holm is not None})
    if not sizes or sizes == [1]:
        return ""
    ends = dict.fromkeys((sizes[0], sizes[-1]))
    return f"p adjusted by Holm for {' to '.join(map(str, ends))} comparisons"


def _verdicts(view: View, ink: Glyphs) -> list[str]:
    found = {each.verdict for each in view.comparisons}
    meant = {Verdict.IDENTICAL: "identical: equal to rounding"}
    said = [f"{ink.mark(verdict)} {meant.get(verdict, verdict)}" for verdict in _SHOWN if verdict in found]
    controls = any(entry.control(name) for entry in view.entries for name in view.names)
    return said + ([f"{ink.control} control: not tested"] if controls else [])


def _stars(view: View) -> list[str]:
    races = [(problem.entries, name) for problem in view.problems for name in view.names]
    found = {entry.best(name) for entries, name in races if ranked(entries, name) for entry in entries}
    return [text for rank, text in _STARS if rank in found]


def _arrows(view: View) -> list[str]:
    found = {metric.higher_is_better for metric in view.metrics}
    return [text for better, text in _ARROWS if better in found]


def _fewer(view: View, ink: Glyphs) -> list[str]:
    """Return the meaning of the mark of numbers over fewer seeds than asked for."""
    metrics = (metric.partial for entry in view.entries for metric in entry.row.metrics.values())
    found = any(metrics) or any(each.partial for each in view.comparisons)
    return [ink(f"{FEWER} over fewer {view.run.replicates} than asked for")] if found else []


def looks(view: View, problem: Problem, whole: bool = False) -> list[str]:
    """Return how often the test set of a problem was looked at: where others did so, or by request.

    In the primary metric; the adjusted p of the verdicts follow, the largest first.
    """
    here = {entry.row.test_set for entry in problem.entries}
    found = [each for each in view.run.looks if each.metric == view.primary and each.test_set in here]
    return [_looked(each, problem, view.primary) for each in found if whole or each.others]


def _looked(found: Looks, problem: Problem, metric: str) -> str:
    if found.confirmatory:
        return "confirmatory: fixed before the first look at this test set"
    have = "has" if found.variants == 1 else "have"
    start = f"exploratory: {counted(found.variants, 'variant')} {have} seen this test set"
    if not found.others:
        return f"{start}, all of this suite, which had others at the first look"
    rows = [entry for entry in problem.entries if entry.row.test_set == found.test_set]
    pairs = [(entry.label, entry.against(metric)) for entry in rows]
    decided = [(p.p_looks, label) for label, p in pairs if p and p.p_looks is not None and p.verdict in _DECIDED]
    said = [f"{label} {p_value(p)}" for p, label in sorted(decided, key=lambda each: -each[0])]
    return f"{start}; p adjusted for all of them: {together(said, FEW)}" if said else start


def published(view: View) -> list[str]:
    """Return the papers of published numbers, by their numbers."""
    return [f"[{number}] {source}" for number, source in enumerate(view.sources, 1)]


def lost(view: View) -> list[str]:
    """Return every row without a number or verdict, with the whole reason; equal reasons together."""
    found: dict[str, dict[str, list[str]]] = {}
    for entry in view.entries:
        for why in dict.fromkeys(_reasons(entry)):
            found.setdefault(why, {}).setdefault(entry.label, []).append(entry.place)
    return [f"{_where(places, len(view.problems))}: {why}" for why, places in found.items()]


def _where(places: Mapping[str, Sequence[str]], count: int) -> str:
    """Join contenders and their problems, those with the same problems together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for label, titles in places.items():
        groups.setdefault(tuple(titles), []).append(label)
    every = {titles: count > 1 and len(titles) == count for titles in groups}
    on = {titles: "every problem" if every[titles] else together(list(filter(None, titles))) for titles in groups}
    return "; ".join(f"{together(labels)}{on[titles] and f' on {on[titles]}'}" for titles, labels in groups.items())


def _reasons(entry: Entry) -> Iterator[str]:
    """Yield why a row or its numbers are incomplete, but for seeds without a finite value, of which issues tell."""
    if entry.ended:
        yield f"{entry.row.status}: {reason(entry.row.why) if entry.row.why else NO_REASON}"
    for name, metric in entry.row.metrics.items():
        if metric.why is not None and metric.why.kind not in _NOT_FINITE:
            yield f"{name}: {reason(metric.why)}"
    for name, found in entry.row.against.items():
        if found.why is not None and found.why.kind is not ReasonKind.DROPPED and not entry.control(name):
            yield f"{name}{' not compared' if found.verdict is None else ''}: {reason(found.why)}"


def notes(view: View) -> list[str]:
    """Return the metrics' caveats, then the rows' notes, equal ones together."""
    cautions = [f"{metric.label} {metric.caveat}" for metric in view.metrics if metric.caveat]
    lost = [f"{whose([entry], view)[0]}: {_diverged(entry.row)}" for entry in view.entries if entry.row.diverged]
    found: dict[str, list[Entry]] = {}
    for entry in view.entries:
        for note in _notes(entry):
            found.setdefault(note, []).append(entry)
    return (
        cautions
        + [
            note if len(entries) == len(view.entries) else f"{together(whose(entries, view))}: {note}"
            for note, entries in found.items()
        ]
        + lost
    )


def _diverged(row: Row) -> str:
    """Say which of a row's seeds diverged."""
    seeds = row.diverged or ()
    if len(seeds) == len(row.seeds):
        return "every seed diverged"
    return f"diverged: {'seeds' if len(seeds) > 1 else 'seed'} {', '.join(map(str, seeds))} of {len(row.seeds)}"


def whose(entries: Sequence[Entry], view: View) -> list[str]:
    """Name entries by their problem or label where all of that problem or label are among them, else by both."""
    names: dict[str, None] = {}
    for entry in entries:
        shared = [
            (name, [other for other in view.entries if getattr(other, part) == name])
            for part, name in (("place", entry.place), ("label", entry.label))
        ]
        whole = (name for name, group in shared if name and all(other in entries for other in group))
        names[next(whole, f"{entry.label} on {entry.place}" if entry.place else entry.label)] = None
    return list(names)


def _notes(entry: Entry) -> Iterator[str]:
    """Yield the protocol's notes on a row, the course of an interleaved measurement, outliers, exclusion."""
    row = entry.row
    if row.changed:
        yield f"measured again: {together(row.changed)} changed"
    yield from row.notes
    for name, part in (row.on_threshold or {}).items():
        yield f"{name}: the decision threshold lies on a data point, which can change it by {part:.3g}"
    if row.used and "epochs" in row.used:
        yield f"early stopping kept epoch {row.used['epochs']:.4g} of {row.settings['epochs']}, as a mean over seeds"
    if row.derivative_passes:
        yield f"derivatives pass the network {row.derivative_passes:.4g} times per sample, beside its evaluations"
    if row.tied_places:
        share = f"{100 * row.tied_places:.3g} % of the neighbor places are tied"
        yield f"{share}: metrics are means over random choices among equally near points"
    if row.overridden:
        yield "without effect: " + "; ".join(f"{name} ({what} instead)" for name, what in row.overridden.items())
    if row.compared_features is not None:
        yield compared_features(row.compared_features)
    yield from (f"{name}: {why}" for name, why in row.skipped.items())
    if row.blocks is not None:
        yield blocks(row.blocks)
    for name, metric in row.metrics.items():
        if metric.outliers:
            yield f"{name}: {len(metric.outliers)} of {len(metric.values)} blocks far out, and kept"
            break
    if row.excluded and row.why is not None:
        yield reason(row.why)


def issues(view: View) -> list[str]:
    """Return the issues of the whole run in words."""
    return [issue(each) for each in view.run.notices]
