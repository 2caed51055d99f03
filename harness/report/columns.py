"""Columns of a problem's table: the primary metric with its comparison, the other metrics, tuning and cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from harness.report import costs
from harness.report.glyphs import Glyphs
from harness.report.layout import Column, Label, Line, Sheet
from harness.report.number_format import (
    MISSING,
    Estimate,
    decimals,
    estimate,
    estimates,
    number,
    p_value,
    printed,
    unit_for,
)
from harness.report.parts import Entry, Problem, View, ranked
from harness.report.words import reason
from harness.results import Comparison, MetricInfo, Rank, Status, Verdict

STYLES: Mapping[Verdict | None, str] = MappingProxyType(
    {
        Verdict.BETTER: "green",
        Verdict.WORSE: "red",
        Verdict.UNDECIDED: "yellow",
        Verdict.EQUIVALENT: "cyan",
        Verdict.IDENTICAL: "dim",
    }
)
FEWER = "†"
"""Mark of a number over fewer seeds than asked for."""
Ends = Callable[[Entry, str], tuple[float, float] | None]
STARS: Mapping[Rank | None, str] = MappingProxyType({Rank.BEST: "★", Rank.TIED: "☆"})


def sheet(view: View, problem: Problem, ink: Glyphs, compact: bool) -> Sheet:
    """Arrange one problem in rows and columns; `compact` shows verdicts as marks without the word."""
    entries = problem.shown
    groups = _primary(view, entries, ink, compact) if view.metrics else []
    primary = {column.key for column in groups}
    for metric in view.metrics:
        if metric is not view.metrics[0]:
            groups.append(column_of(metric, entries, ink, verdicts=bool(view.baselines)))
        spreads: dict[str, Ends] = {"within a seed": Entry.bootstrap}
        spreads |= {"quartiles": Entry.quartiles} if metric is view.metrics[0] else {}
        for what, ends in spreads.items():
            if any(ends(entry, metric.label) for entry in view.entries):
                groups.append(_between(what, ends, metric, entries, ink))
    groups += [_measured(column, entries) for column in costs.columns(view, entries, ink)]
    if view.metrics and "seeds" in view.arrangement.columns:
        groups.append(_measured(costs.spread(view, view.metrics[0], entries, ink), entries))
    columns = _chosen(view, groups)
    kept = next((place for place, column in enumerate(columns) if column.key not in primary), len(columns))
    names = {entry.label for entry in problem.entries}
    labels = tuple(_published(each, names, ink) if each.source else _label(each, ink) for each in entries)
    return Sheet(ink(" / ".join(view.row_axes)), labels, tuple(columns), kept)


def _chosen(view: View, columns: Sequence[Column]) -> list[Column]:
    """Return the columns that are asked for, in that order; all by default."""
    if not view.arrangement.columns:
        return [*columns]
    return [column for key in view.arrangement.columns for column in columns if column.key == key]


def _label(entry: Entry, ink: Glyphs) -> Label:
    status, why = entry.row.status, entry.row.why
    style = "dim" if status is Status.SKIPPED else "red"
    if not entry.ended:
        return Label(ink(entry.label))
    if entry.measured:
        return Label(ink(f"{entry.label} ({status})"), style)
    return Label(ink(entry.label), style, ink(f"✗ {status}"), ink(reason(why)) if why else "")


def _published(entry: Entry, measured: Collection[str], ink: Glyphs) -> Label:
    """Return `  published [1]` for a row below its measured one, `NAME [1]` if nothing was measured."""
    name = "  published" if entry.label in measured else ink(entry.label)
    return Label(f"{name} [{entry.source}]", "italic", optional=True)


def _measured(column: Column, entries: Sequence[Entry]) -> Column:
    """Return the column with blanks for published rows, which were not measured, compared or tuned here."""
    cells = tuple([] if entry.source else cell for entry, cell in zip(entries, column.cells, strict=True))
    return dataclasses.replace(column, cells=cells)


def _primary(view: View, entries: Sequence[Entry], ink: Glyphs, compact: bool) -> list[Column]:
    name = view.primary
    asked = view.arrangement.columns
    marked = bool(asked and view.baselines) and not {"difference", "verdict"} & {*asked}
    columns = [column_of(view.metrics[0], entries, ink, verdicts=marked)]
    if not view.baselines:
        return columns
    columns.append(_difference(view, entries, ink, compact))
    if len(view.baselines) > 1:
        columns.append(_compared("baseline", name, entries, lambda found: (ink(found.baseline), "")))
    if not compact:
        columns.append(_column("verdict", entries, lambda entry: _verdict(entry, name, ink)))
    compared = [entry.against(name) for entry in view.entries]
    if any(found and found.p is not None for found in compared):
        columns.append(_column("p", entries, lambda entry: _p(entry, name, ink), right=True))
    return columns[:1] + [_measured(column, entries) for column in columns[1:]]


def _column(
    head: str, entries: Sequence[Entry], text: Callable[[Entry], tuple[str, str]], right: bool = False
) -> Column:
    return Column(head, tuple([text(entry)] for entry in entries), right, key=head)


def _compared(head: str, name: str, entries: Sequence[Entry], text: Callable[[Comparison], tuple[str, str]]) -> Column:
    """Return a column on comparisons, blank for rows without one."""
    found = [entry.against(name) for entry in entries]
    return Column(head, tuple([text(each) if each else ("", "")] for each in found), key=head)


def column_of(metric: MetricInfo, entries: Sequence[Entry], ink: Glyphs, verdicts: bool) -> Column:
    """Return `★ mean ± half ▲`: rank within the problem, number, verdict against the baseline if requested."""
    name = metric.label
    found = [estimate(entry.metric(name)) for entry in entries]
    size, unit = unit_for([item for item in found if item], metric.unit)
    items = [item and item.divided(size) for item in found]
    texts = [
        printed(item.mean, text) if entry.source and item else text
        for entry, item, text in zip(entries, items, estimates(items), strict=True)
    ]
    texts = _marked(texts, [bool((value := entry.metric(name)) and value.partial) for entry in entries])
    race = ranked(entries, name)
    stars = [STARS.get(entry.best(name), "") if race else "" for entry in entries]
    lead = 2 if any(stars) else 0
    cells = []
    for entry, star, text in zip(entries, stars, texts, strict=True):
        line: Line = [(ink(star.ljust(1)) + " ", "bold yellow")] if lead else []
        bold = "bold" if entry.best(name) is Rank.BEST else ""
        line.append((ink(text), "italic" if entry.source else bold))
        line += found_mark(entry, name, ink) if verdicts else []
        cells.append(line if entry.metric(name) or not entry.source else [])
    return Column(head(metric, unit, ink), tuple(cells), lead=lead, key=name)


def found_mark(entry: Entry, name: str, ink: Glyphs) -> Line:
    """Return the sign of a row's verdict against its baseline in a metric, or that of a control."""
    verdict = _found(entry, name)
    sign = ink.control if entry.control(name) else ink.mark(verdict)
    return [(" " + (sign or " "), STYLES.get(verdict, ""))]


def _marked(texts: Sequence[str], partial: Sequence[bool]) -> list[str]:
    """Mark the numbers over fewer seeds than asked for; the others keep their alignment."""
    if not any(partial):
        return list(texts)
    return [text + (FEWER if less else " ") for text, less in zip(texts, partial, strict=True)]


def _found(entry: Entry, name: str) -> Verdict | None:
    compared = entry.against(name)
    return compared.verdict if compared else None


def _between(what: str, ends: Ends, metric: MetricInfo, entries: Sequence[Entry], ink: Glyphs) -> Column:
    """Return a column with the ends of a spread of the metric, in the unit of the metric's own column."""
    size = unit_of(metric, entries)[0]
    found = [ends(entry, metric.label) for entry in entries]
    places = decimals([Estimate(low / size, low / size, high / size) for low, high in filter(None, found)])
    texts = [" to ".join(number(end / size, places) for end in both or ()) for both in found]
    return Column(
        ink(f"{what}: {metric.label}"),
        tuple([(ink(text), "dim")] for text in texts),
        right=True,
        key=what.replace(" a ", "_"),
    )


def unit_of(metric: MetricInfo, entries: Sequence[Entry]) -> tuple[float, str]:
    """Return the unit of the metric's column, its size first."""
    found = [estimate(entry.metric(metric.label)) for entry in entries]
    return unit_for([item for item in found if item], metric.unit)


def head(metric: MetricInfo, unit: str, ink: Glyphs) -> str:
    """Return a metric with its unit and an arrow for its direction."""
    arrow = {True: " ↑", False: " ↓", None: ""}[metric.higher_is_better]
    return ink(f"{metric.label}{f' [{unit}]' if unit else ''}{arrow}")


def _difference(view: View, entries: Sequence[Entry], ink: Glyphs, compact: bool) -> Column:
    """Return the difference to the baseline, in the unit of the metric's column; `compact` adds the verdict's mark.

    For a metric that is compared by ratio, the ratio.
    """
    metric = view.metrics[0]
    compared = [entry.against(metric.label) for entry in entries]
    if by_ratio := metric.relative_margin is not None:
        items = [estimate(found.ratio) if found and not _equal(found) else None for found in compared]
        texts = [f"×{text}" for text in estimates(items)]
    else:
        size = unit_of(metric, entries)[0]
        items = [None if _equal(found) else item and item.divided(size) for found, item in _estimated(compared)]
        texts = estimates(items, signed=True)
    texts = _marked(texts, [bool(found and found.partial) for found in compared])
    cells: list[Line] = []
    for entry, found, item, text in zip(entries, compared, items, texts, strict=True):
        verdict = found.verdict if found else None
        own = "1" if by_ratio else "baseline"
        blank = own if entry.baseline else ink(MISSING) if entry.measured else ""
        blank = ("1" if by_ratio else "0") if _equal(found) else blank
        sign = ink.control if entry.control(metric.label) else ink.mark(verdict)
        mark = f" {sign}" if compact and sign else ""
        cells.append([(ink(text) + mark, STYLES.get(verdict, ""))] if item else [(blank + mark, "dim")])
    only = view.baselines[0] if len(view.baselines) == 1 else "baseline"
    return Column(ink(f"vs {only}"), tuple(cells), key="difference")


def _estimated(compared: Sequence[Comparison | None]) -> list[tuple[Comparison | None, Estimate | None]]:
    return [(found, estimate(found)) for found in compared]


def _equal(found: Comparison | None) -> bool:
    return found is not None and found.verdict is Verdict.IDENTICAL


def _verdict(entry: Entry, name: str, ink: Glyphs) -> tuple[str, str]:
    verdict = _found(entry, name)
    if entry.control(name):
        return (f"{ink.control} control", "dim")
    if verdict is None:
        return ("" if entry.baseline else ink(MISSING), "dim")
    return (f"{ink.mark(verdict)} {verdict}", STYLES[verdict])


def _p(entry: Entry, name: str, ink: Glyphs) -> tuple[str, str]:
    found = entry.against(name)
    p = None if found is None else found.p if found.p_holm is None else found.p_holm
    return ("" if entry.baseline else ink(p_value(p)), "")
