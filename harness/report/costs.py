"""Columns beside the metrics of a row: tuned and learned values, evaluations, time, and the spread over seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.report.glyphs import Glyphs
from harness.report.layout import Column
from harness.report.number_format import MISSING, Estimate, aligned, estimates
from harness.report.parts import Entry, View
from harness.report.words import singular
from harness.results import Json, MetricInfo

_BINS = 8
"""Bins of the values of a row over seeds."""
NFE = "nfe"


def columns(view: View, entries: Sequence[Entry], ink: Glyphs) -> list[Column]:
    """Return those columns for which any row of the run has something to show."""
    makers = (_tuned, _learned, _evaluations, _seconds)
    return [column for column in (make(view, entries, ink) for make in makers) if column]


def _tuned(view: View, entries: Sequence[Entry], ink: Glyphs) -> Column | None:
    return _named("tuned", view, entries, ink, lambda entry: entry.row.tuned)


def _learned(view: View, entries: Sequence[Entry], ink: Glyphs) -> Column | None:
    """Return the column of the final values of learned fields, as means over seeds."""
    return _named("learned", view, entries, ink, _final)


def _final(entry: Entry) -> Mapping[str, Json]:
    return {name: f"{value:.3g}" for name, value in (entry.row.learned or {}).items()}


def _named(
    key: str, view: View, entries: Sequence[Entry], ink: Glyphs, values: Callable[[Entry], Mapping[str, Json]]
) -> Column | None:
    """Return a column of named values, or None; a single name is in the heading."""
    names = {name for entry in view.entries for name in values(entry)}
    if not names:
        return None
    if len(names) > 1:
        said = (", ".join(f"{name}={value}" for name, value in values(entry).items()) for entry in entries)
        return Column(key, tuple([(ink(text or MISSING), "")] for text in said), key=key)
    name = next(iter(names))
    texts = aligned([ink(values(entry).get(name, MISSING)) for entry in entries])
    head = name if key == "tuned" else ink(f"{key} {name}")
    return Column(head, tuple([(text, "")] for text in texts), right=True, key=key)


def _evaluations(view: View, entries: Sequence[Entry], ink: Glyphs) -> Column | None:
    """Return the column of network evaluations for a sample; None where a metric shows them already."""
    if NFE in view.names or not any(_used(entry) is not None for entry in view.entries):
        return None
    items = [None if (used := _used(entry)) is None else Estimate(used) for entry in entries]
    whole = all(item is None or item.mean == round(item.mean) for item in items)
    texts = [ink(MISSING) if item is None else f"{item.mean:.0f}" for item in items] if whole else estimates(items)
    return Column("NFE used", tuple([(ink(text), "dim")] for text in texts), right=True, key="evaluations")


def _used(entry: Entry) -> float | None:
    return (entry.row.used or {}).get(NFE)


def _seconds(view: View, entries: Sequence[Entry], ink: Glyphs) -> Column | None:
    """Return the column of seconds per seed; None if no row has its time."""
    if not any(entry.row.seconds for entry in view.entries):
        return None
    spent = [(entry.row.seconds, len(entry.row.seeds)) for entry in entries]
    items = [Estimate(seconds / seeds) if seconds and seeds else None for seconds, seeds in spent]
    texts = estimates(items, significant=3)
    head = f"s/{singular(view.run.replicates)}"
    return Column(head, tuple([(ink(text), "dim")] for text in texts), right=True, key="time")


def spread(view: View, metric: MetricInfo, entries: Sequence[Entry], ink: Glyphs) -> Column:
    """Return the values of every row over seeds as a row of bars, all on one scale: how many lie in each eighth."""
    found = [_numbers(entry, metric.label) for entry in entries]
    known = [value for values in found for value in values]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    texts = [_bars(values, low, high, ink) for values in found]
    return Column(ink(f"{view.run.replicates}: {metric.label}"), tuple([(text, "")] for text in texts), key="seeds")


def _numbers(entry: Entry, name: str) -> list[float]:
    metric = entry.metric(name)
    return [] if metric is None else [value for value in metric.values if value is not None]


def _bars(values: Sequence[float], low: float, high: float, ink: Glyphs) -> str:
    counts = [0] * _BINS
    for value in values:
        counts[min(int(_BINS * (value - low) / (high - low)) if high > low else 0, _BINS - 1)] += 1
    levels = " .:-=+*#@" if ink.plain else " ▁▂▃▄▅▆▇█"
    most = max(counts, default=0) or 1
    return "".join(levels[-(-count * (len(levels) - 1) // most)] for count in counts)
