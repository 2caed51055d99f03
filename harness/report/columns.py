"""The columns of a problem's table: the primary metric with its comparison, the other metrics, tuning and cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from harness.analysis.pairing import replicates
from harness.report.digits import (
    MISSING,
    Estimate,
    aligned,
    decimals,
    estimate,
    estimates,
    number,
    p_value,
    printed,
    unit_for,
)
from harness.report.ink import Ink
from harness.report.layout import Column, Label, Line, Sheet
from harness.report.parts import Problem, Row, View

VERDICTS = ("better", "worse", "undecided", "same")
STYLES = {"better": "green", "worse": "red", "undecided": "yellow", "same": "cyan", "best": "bold"}
Ends = Callable[[Row, str], tuple[float, float] | None]
_STARS = {"best": "★", "tied": "☆"}


def sheet(view: View, problem: Problem, ink: Ink, compact: bool) -> Sheet:
    """One problem as rows and columns; `compact` shows verdicts as marks without the word."""
    rows = problem.shown
    columns = _primary(view, rows, ink, compact) if view.metrics else []
    primary = len(columns)
    for metric in view.metrics:
        if metric is not view.metrics[0]:
            columns.append(_metric(metric, rows, ink, verdicts=bool(view.baselines)))
        spreads = {"within a seed": Row.bootstrap} | ({"quartiles": Row.quartiles} if metric is view.metrics[0] else {})
        for what, ends in spreads.items():
            if any(ends(row, str(metric["label"])) for row in view.rows):
                columns.append(_between(what, ends, metric, rows, ink))
    columns += [_measured(column, rows) for column in (_tuned(view, rows, ink), _seconds(view, rows, ink)) if column]
    names = {row.label for row in problem.rows}
    labels = tuple(_published(row, names, ink) if row.source else _label(row, ink) for row in rows)
    return Sheet(ink(" / ".join(view.row_axes)), labels, tuple(columns), primary)


def _label(row: Row, ink: Ink) -> Label:
    style = "dim" if row.status == "skipped" else "red"
    if row.status == "ok":
        return Label(ink(row.label))
    if row.measured:
        return Label(ink(f"{row.label} ({row.status})"), style)
    return Label(ink(row.label), style, ink(f"✗ {row.status}"), ink(row.cell.get("reason") or ""))


def _published(row: Row, measured: Collection[str], ink: Ink) -> Label:
    """`  published [1]` below the row it belongs to, `NAME [1]` where nothing was measured."""
    name = "  published" if row.label in measured else ink(row.label)
    return Label(f"{name} [{row.source}]", "italic", optional=True)


def _measured(column: Column, rows: Sequence[Row]) -> Column:
    """The column without what it says of published rows, which nothing here has measured, compared or tuned."""
    cells = tuple([] if row.source else cell for row, cell in zip(rows, column.cells, strict=True))
    return dataclasses.replace(column, cells=cells)


def _primary(view: View, rows: Sequence[Row], ink: Ink, compact: bool) -> list[Column]:
    name = view.primary
    columns = [_metric(view.metrics[0], rows, ink, verdicts=False)]
    if not view.baselines:
        return columns
    columns.append(_difference(view, rows, ink, compact))
    if len(view.baselines) > 1:
        columns.append(_column("baseline", rows, lambda row: (ink(row.against(name).get("baseline") or ""), "")))
    if not compact:
        columns.append(_column("verdict", rows, lambda row: _verdict(row, name, ink)))
    if any(row.against(name).get("p") is not None for row in view.rows):
        columns.append(_column("p", rows, lambda row: _p(row, name, ink), right=True))
    return columns[:1] + [_measured(column, rows) for column in columns[1:]]


def _column(head: str, rows: Sequence[Row], text: Callable[[Row], tuple[str, str]], right: bool = False) -> Column:
    return Column(head, tuple([text(row)] for row in rows), right)


def _metric(metric: Mapping[str, Any], rows: Sequence[Row], ink: Ink, verdicts: bool) -> Column:
    """`★ mean ± half ▲`: rank within the problem, number, verdict against the baseline (the latter where asked for)."""
    name = str(metric["label"])
    found = [estimate(row.metric(name)) for row in rows]
    size, unit = unit_for([item for item in found if item], metric.get("unit"))
    items = [item and item.divided(size) for item in found]
    texts = [
        printed(item.mean, text) if row.source and item else text
        for row, item, text in zip(rows, items, estimates(items), strict=True)
    ]
    stars = [_STARS.get(row.best(name) or "", "") for row in rows]
    lead = 2 if any(stars) else 0
    cells = []
    for row, star, text in zip(rows, stars, texts, strict=True):
        line: Line = [(ink(star.ljust(1)) + " ", "bold yellow")] if lead else []
        line.append((ink(text), "italic" if row.source else STYLES.get(row.best(name) or "", "")))
        if verdicts:
            verdict = row.against(name).get("verdict")
            line.append((" " + (ink.mark(verdict) or " "), STYLES.get(verdict or "", "")))
        cells.append(line if row.metric(name) or not row.source else [])
    return Column(_head(metric, unit, ink), tuple(cells), lead=lead)


def _between(what: str, ends: Ends, metric: Mapping[str, Any], rows: Sequence[Row], ink: Ink) -> Column:
    """Where a spread of the metric begins and ends, in the unit of the metric's own column."""
    name = str(metric["label"])
    size, _ = unit_for([e for e in (estimate(row.metric(name)) for row in rows) if e], metric.get("unit"))
    found = [ends(row, name) for row in rows]
    places = decimals([Estimate(low / size, low / size, high / size) for low, high in filter(None, found)])
    texts = [" to ".join(number(end / size, places) for end in both or ()) for both in found]
    return Column(ink(f"{what}: {name}"), tuple([(ink(text), "dim")] for text in texts), right=True)


def _head(metric: Mapping[str, Any], unit: str, ink: Ink) -> str:
    arrow = {"higher": " ↑", "lower": " ↓"}.get(str(metric.get("better")), "")
    return ink(f"{metric['label']}{f' [{unit}]' if unit else ''}{arrow}")


def _difference(view: View, rows: Sequence[Row], ink: Ink, compact: bool) -> Column:
    """The difference to the baseline, in the unit of the metric's own column; `compact` adds the verdict's mark."""
    name = view.primary
    if view.metrics[0].get("ratio") is not None:
        return _ratio(view, rows, ink, compact)
    size, _ = unit_for([e for e in (estimate(row.metric(name)) for row in rows) if e], view.metrics[0].get("unit"))
    found = [estimate(row.against(name), "difference") for row in rows]
    texts = estimates([item and item.divided(size) for item in found], signed=True)
    cells: list[Line] = []
    for row, item, text in zip(rows, found, texts, strict=True):
        verdict = row.against(name).get("verdict") or ""
        blank = "baseline" if row.baseline else ink(MISSING) if row.measured else ""
        mark = f" {ink.mark(verdict)}" if compact else ""
        cells.append([(ink(text) + mark, STYLES.get(verdict, ""))] if item else [(blank, "dim")])
    only = view.baselines[0] if len(view.baselines) == 1 else "baseline"
    return Column(ink(f"vs {only}"), tuple(cells))


def _ratio(view: View, rows: Sequence[Row], ink: Ink, compact: bool) -> Column:
    """The ratio to the baseline."""
    entries = [row.against(view.primary) for row in rows]
    texts = estimates([estimate(entry.get("ratio"), "ratio") for entry in entries])
    cells: list[Line] = []
    for row, entry, text in zip(rows, entries, texts, strict=True):
        verdict = entry.get("verdict") or ""
        mark = f" {ink.mark(verdict)}" if compact else ""
        blank = "1" if row.baseline else ink(MISSING) if row.measured else ""
        cells.append([(ink(f"×{text}") + mark, STYLES.get(verdict, ""))] if entry.get("ratio") else [(blank, "dim")])
    only = view.baselines[0] if len(view.baselines) == 1 else "baseline"
    return Column(ink(f"vs {only}"), tuple(cells))


def _verdict(row: Row, name: str, ink: Ink) -> tuple[str, str]:
    verdict = row.against(name).get("verdict")
    if verdict is None:
        return ("" if row.baseline else ink(MISSING), "dim")
    return (f"{ink.mark(verdict)} {verdict}", STYLES.get(verdict, ""))


def _p(row: Row, name: str, ink: Ink) -> tuple[str, str]:
    entry = row.against(name)
    p = entry.get("p_holm") if entry.get("p_holm") is not None else entry.get("p")
    return ("" if row.baseline else ink(p_value(p)), "")


def _tuned(view: View, rows: Sequence[Row], ink: Ink) -> Column | None:
    """What tuning chose; one number alone stands under its own name."""
    keys = {key for row in view.rows for key in row.cell.get("tuned") or {}}
    if not keys:
        return None
    if len(keys) == 1:
        key = next(iter(keys))
        texts = aligned([ink((row.cell.get("tuned") or {}).get(key, MISSING)) for row in rows])
        return Column(ink(key), tuple([(text, "")] for text in texts), right=True)
    return _column("tuned", rows, lambda row: (ink(_choices(row.cell.get("tuned") or {})), ""))


def _choices(tuned: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tuned.items()) or MISSING


def _seconds(view: View, rows: Sequence[Row], ink: Ink) -> Column | None:
    """Seconds per seed; left out where no cell says what it took."""
    if not any(row.cell.get("seconds") for row in view.rows):
        return None
    spent = [(row.cell.get("seconds"), len(row.cell.get("seeds") or [])) for row in rows]
    items = [Estimate(seconds / seeds) if seconds and seeds else None for seconds, seeds in spent]
    texts = estimates(items, significant=3)
    return Column(
        f"s/{replicates(view.data).removesuffix('s')}", tuple([(ink(text), "dim")] for text in texts), right=True
    )
