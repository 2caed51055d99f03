"""Table of a problem for a page: columns of cells, each with what it is sorted by and its number with all digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.report.columns import FEWER
from harness.report.html.bars import scale
from harness.report.html.cells import Cell, Column, wide
from harness.report.html.names import clean, hint, short
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
from harness.report.words import counted, reason, singular
from harness.results import Comparison, MetricInfo, MetricValue, Ratio, Verdict

WIDE = 20
"""Quotient of the largest and the least mean from which a scale is logarithmic."""
ARROWS = {True: "↑", False: "↓", None: ""}


@dataclass(frozen=True)
class Line:
    """Head of a row: its name, the same for its title where it is cut, its anchor, and why it has no number."""

    name: str
    hint: str
    anchor: str
    status: str = ""
    why: str = ""
    is_published: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a problem; `anchor` is that of its heading."""

    title: str
    hint: str
    anchor: str
    corner: str
    lines: tuple[Line, ...]
    columns: tuple[Column, ...]

    @property
    def rows(self) -> Iterator[tuple[Line, list[tuple[Column, Cell]]]]:
        """Each row's head, and its cells with their columns."""
        for place, line in enumerate(self.lines):
            yield line, [(column, column.cells[place]) for column in self.columns]


def table(view: View, problem: Problem, anchor: str, prefix: str) -> Table:
    """Return the table of a problem; `prefix` begins the anchors of the run's rows."""
    entries = problem.shown
    columns = [*_primary(view, entries)] if view.metrics else []
    columns += [_metric(view, place, entries) for place in range(1, len(view.metrics))]
    columns += _spreads(view, entries)
    columns += [*_costs(view, entries)]
    lines = tuple(_line(entry, prefix) for entry in entries)
    title = problem.title or view.run.suite or "results"
    return Table(short(title), hint(title), anchor, short(" / ".join(view.row_axes)), lines, tuple(columns))


def _line(entry: Entry, prefix: str) -> Line:
    name = f"{entry.label} [{entry.source}], published" if entry.source else entry.label
    status = str(entry.row.status) if entry.ended else ""
    why = clean(reason(entry.row.why)) if entry.ended and entry.row.why else ""
    anchor = "" if entry.number is None else f"{prefix}{entry.number}"
    return Line(short(name), hint(name), anchor, status, why, bool(entry.source))


def _primary(view: View, entries: Sequence[Entry]) -> list[Column]:
    """Return the columns of the first metric: with its difference, the drawn interval, the verdict and p."""
    metric = view.metrics[0]
    columns = [replace(_metric(view, 0, entries), has_verdicts=False)]
    found = [entry.against(metric.label) for entry in entries]
    if view.baselines:
        columns.append(_difference(view, metric, entries))
    if drawn := _bars(view, metric, entries):
        columns.append(drawn)
    if not view.baselines:
        return columns
    columns.append(Column("verdict", "verdict", "verdict", tuple(map(_verdict, entries, found)), is_number=False))
    if any(each and each.p is not None for each in found):
        columns.append(Column("p", "p", "p", tuple(map(_p, found))))
    return columns


def _metric(view: View, place: int, entries: Sequence[Entry]) -> Column:
    """Return a metric with ranks within the problem and verdicts against the baseline."""
    metric = view.metrics[place]
    values = [entry.metric(metric.label) for entry in entries]
    size, unit = _unit(metric, entries)
    items = [item and item.divided(size) for item in map(estimate, values)]
    texts = estimates(items)
    race = ranked(entries, metric.label)
    cells = []
    for entry, value, item, text in zip(entries, values, items, texts, strict=True):
        said = printed(item.mean, text) if entry.source and item else text
        verdict = found.verdict if (found := entry.against(metric.label)) else None
        cells.append(
            Cell(
                text=wide(said) + (FEWER if value and value.partial else ""),
                key="" if value is None or value.average is None else value.average,
                exact=_exact(value, entry, view.run.replicates),
                rank=entry.best(metric.label) if race else None,
                verdict=verdict,
            )
        )
    head = short(metric.label) + (f" [{clean(unit)}]" if unit else "")
    return Column(
        f"metric-{place}", head, f"metric-{place}", tuple(cells), ARROWS[metric.higher_is_better],
        has_ranks=any(cell.rank for cell in cells), has_verdicts=any(cell.verdict for cell in cells),
    )  # fmt: skip


def _unit(metric: MetricInfo, entries: Sequence[Entry]) -> tuple[float, str]:
    known = [item for entry in entries if (item := estimate(entry.metric(metric.label)))]
    return unit_for(known, metric.unit)


def _exact(value: MetricValue | None, entry: Entry, noun: str) -> str:
    if value is None:
        return ""
    if entry.source:
        return f"{value.mean:.10g}, published" if value.mean is not None else ""
    seeds = sum(each is not None for each in value.numbers)
    return _said(value, value.unit) + f", {counted(seeds, singular(noun))}"


def _said(found: MetricValue | Comparison | Ratio, unit: str | None) -> str:
    """Write a number with all the digits that matter, its unit and its interval."""
    item = estimate(found)
    if item is None:
        return "no number"
    tail = "" if item.low is None or item.high is None else f", 95 % interval {item.low:.6g} to {item.high:.6g}"
    return f"{item.mean:.6g}{f' {clean(unit)}' if unit else ''}{tail}".replace("-", "−")


def _difference(view: View, metric: MetricInfo, entries: Sequence[Entry]) -> Column:
    """Return the difference from the baseline, in the unit of the metric's column, or the ratio to it."""
    compared = [entry.against(metric.label) for entry in entries]
    size = 1.0 if metric.relative_margin is not None else _unit(metric, entries)[0]
    items = [_distance(each, metric) for each in compared]
    shown = [
        None if each and each.verdict is Verdict.IDENTICAL else item for each, item in zip(compared, items, strict=True)
    ]
    by_ratio = metric.relative_margin is not None
    texts = estimates([item and item.divided(size) for item in shown], signed=not by_ratio)
    cells = []
    for entry, each, item, text in zip(entries, compared, items, texts, strict=True):
        if each is None or item is None:
            cells.append(Cell("baseline" if entry.baseline else ""))
            continue
        same = each.verdict is Verdict.IDENTICAL
        said = ("1" if by_ratio else "0") if same else wide(f"×{text}" if by_ratio else text)
        found = each.ratio if by_ratio and each.ratio is not None else each
        exact = f"{_said(found, None if by_ratio else metric.unit)}; baseline {short(each.baseline)}"
        cells.append(Cell(said + (FEWER if each.partial else ""), item.mean, exact, verdict=each.verdict))
    only = view.baselines[0] if len(view.baselines) == 1 else "baseline"
    return Column("difference", short(f"vs {only}"), "difference", tuple(cells))


def _distance(found: Comparison | None, metric: MetricInfo) -> Estimate | None:
    """Return the difference of a comparison; for a metric that is compared by ratio the ratio."""
    return estimate(found.ratio if found and metric.relative_margin is not None else found)


def _bars(view: View, metric: MetricInfo, entries: Sequence[Entry]) -> Column | None:
    """Return the drawn intervals of the differences, of the metric itself without a baseline; None without any."""
    by_ratio = metric.relative_margin is not None and bool(view.baselines)
    size, unit = (1.0, "") if by_ratio else _unit(metric, entries)
    if view.baselines:
        items = [_distance(entry.against(metric.label), metric) for entry in entries]
        items = [item and item.divided(size) for item in items]
        drawn = scale(items, 1.0 if by_ratio else 0.0, by_ratio)
    else:
        items = [item and item.divided(size) for item in (estimate(entry.metric(metric.label)) for entry in entries)]
        means = [item.mean for item in items if item is not None]
        drawn = scale(items, None, bool(means) and max(means) > WIDE * min(means) > 0)
    if drawn is None:
        return None
    cells = []
    for entry, item in zip(entries, items, strict=True):
        found = entry.against(metric.label)
        ends = None if item is None or item.low is None or item.high is None else (item.low, item.high)
        said = f"{ends[0]:.3g} to {ends[1]:.3g} {unit}" if ends else ""
        key = "" if item is None else item.mean
        cells.append(
            Cell("", key, said.strip().replace("-", "−"), verdict=found.verdict if found else None, bar=drawn.bar(item))
        )
    return Column("bar", "95 % interval", "bar", tuple(cells), is_number=False, scale=drawn)


def _verdict(entry: Entry, found: Comparison | None) -> Cell:
    if found is None or found.verdict is None:
        control = found is not None and any(entry.control(name) for name in entry.row.against)
        return Cell("control" if control else "" if found is None else MISSING)
    return Cell(str(found.verdict), str(found.verdict), verdict=found.verdict)


def _p(found: Comparison | None) -> Cell:
    p = None if found is None else found.p if found.p_holm is None else found.p_holm
    if found is None or p is None:
        return Cell("" if found is None else MISSING)
    alone = "" if found.p is None or found.p_holm is None else f", {found.p:.3g} before the adjustment"
    return Cell(p_value(p), p, f"{p:.3g}{alone}")


def _spreads(view: View, entries: Sequence[Entry]) -> list[Column]:
    """Return columns with the ends of intervals within a seed, and of the quartiles of the first metric."""
    columns = []
    for place, metric in enumerate(view.metrics):
        spreads: dict[str, Callable[[Entry, str], tuple[float, float] | None]] = {"within a seed": Entry.bootstrap}
        spreads |= {} if place else {"quartiles": Entry.quartiles}
        size = _unit(metric, entries)[0]
        for what, ends in spreads.items():
            found = [ends(entry, metric.label) for entry in entries]
            if not any(found):
                continue
            places = decimals([Estimate(low / size, low / size, high / size) for low, high in filter(None, found)])
            cells = tuple(
                Cell(" to ".join(number(end / size, places) for end in both), both[0]) if both else Cell()
                for both in found
            )
            columns.append(
                Column(f"{what.split()[0]}-{place}", f"{short(metric.label)} {what}", f"metric-{place}", cells)
            )
    return columns


def _costs(view: View, entries: Sequence[Entry]) -> list[Column]:
    """Return a column for each tuned value, and the seconds for each seed."""
    columns: list[Column] = []
    for key in dict.fromkeys(key for entry in view.entries for key in entry.row.tuned):
        found = [entry.row.tuned.get(key) for entry in entries]
        cells = tuple(Cell() if value is None else Cell(short(value), _key(value)) for value in found)
        columns.append(Column(f"tuned-{len(columns)}", short(key), "tuned", cells))
    if any(entry.row.seconds for entry in view.entries):
        spent = [(entry.row.seconds, len(entry.row.seeds)) for entry in entries]
        each = [seconds / seeds if seconds and seeds else None for seconds, seeds in spent]
        texts = estimates([None if value is None else Estimate(value) for value in each], significant=3)
        cells = tuple(
            Cell() if value is None else Cell(wide(text), value, f"{value:.6g} s")
            for value, text in zip(each, texts, strict=True)
        )
        columns.append(Column("seconds", f"s/{singular(view.run.replicates)}", "seconds", cells))
    return columns


def _key(value: object) -> float | str:
    return float(value) if isinstance(value, int | float) else clean(value)
