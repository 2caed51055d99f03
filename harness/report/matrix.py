"""One metric of a whole run: contenders and problems, the best marked, as one table before those of the problems."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from harness.report import overall
from harness.report.columns import STARS, STYLES, column_of, found_mark, head, unit_of
from harness.report.glyphs import Glyphs
from harness.report.layout import GAP, Column, Label, Line, Sheet, Span, plan
from harness.report.number_format import MISSING, aligned, decimals, estimate, number
from harness.report.parts import Entry, Problem, View, ranked
from harness.results import MetricInfo, Rank, Verdict

_HEADS = (40, 20, 12)
"""Columns in which headings are wrapped: the first that need no more tables than the last."""
Cells = Mapping[tuple[int, int], Line]
"""Texts by the place of the contender and of the problem."""


def metrics(view: View) -> list[MetricInfo]:
    """Return the metrics that parts of the question ask for, else the primary one; none for a single problem."""
    asked = dict.fromkeys(each.metric for each in view.run.answers)
    found = [metric for name in asked for metric in view.metrics if metric.label == name] or [*view.metrics[:1]]
    several = len(view.problems) > 1 and len(labels(view)) > 1
    return [metric for metric in found if several and any(entry.metric(metric.label) for entry in view.entries)]


def labels(view: View) -> list[str]:
    """Return the names of the contenders, in order of occurrence."""
    return list(dict.fromkeys(entry.label for entry in view.entries))


def whole(view: View, metric: MetricInfo, ink: Glyphs) -> Sheet:
    """Arrange a metric with its intervals: a row for every contender, a column for every problem."""
    columns = []
    for problem in view.problems:
        column = column_of(metric, problem.entries, ink, verdicts=bool(view.baselines))
        pairs = zip(problem.entries, column.cells, strict=True)
        cells = {each.label: cell if each.metric(metric.label) else _ended(each, ink) for each, cell in pairs}
        unit = unit_of(metric, problem.entries)[1]
        title = ink(f"{problem.title}{f' [{unit}]' if unit else ''}")
        texts = tuple(cells.get(label, []) for label in labels(view))
        columns.append(dataclasses.replace(column, head=title, cells=texts))
    return Sheet(ink(" / ".join(view.row_axes)), tuple(Label(ink(label)) for label in labels(view)), tuple(columns), 0)


def title(view: View, metric: MetricInfo, ink: Glyphs) -> str:
    """Return the metric with its unit and direction, and what the signs beside its means compare with."""
    name = head(metric, unit_of(metric, view.entries)[1], ink)
    names = view.baselines if any(entry.against(metric.label) for entry in view.entries) else []
    compared = f", against {names[0]}" if len(names) == 1 else ", each against its baseline" if names else ""
    return ink(f"{name} on every problem{compared}")


def brief(view: View, metric: MetricInfo, width: int, ink: Glyphs) -> Sheet:
    """Arrange the means of a metric as fits the width better: contenders or problems in rows."""
    told = [problem for problem in view.problems if _is_told(problem, metric.label)]
    view = dataclasses.replace(view, problems=tuple(told))
    names, titles = [*map(ink, labels(view))], [ink(problem.title) for problem in told]
    cells = dict(_cells(view, metric, ink))
    turned = {(column, row): cell for (row, column), cell in cells.items()}
    added = closing(view, metric, ink)
    upright = [_sheet(ink(" / ".join(view.row_axes)), names, titles, cells, narrow) for narrow in _HEADS]
    upright = [dataclasses.replace(one, columns=(*one.columns, *added)) for one in upright]
    rows, below = _closing_rows(view, metric, ink)
    turned |= {(len(titles) + row, column): cell for (row, column), cell in below.items()}
    across = [_sheet("problem", [*titles, *rows], names, turned, narrow) for narrow in _HEADS]
    return min(upright + across, key=lambda one: _misfit(one, width))


def closing(view: View, metric: MetricInfo, ink: Glyphs) -> list[Column]:
    """Return the columns on all problems: the pooled difference with its interval, and the mean rank."""
    found = overall.cells(view.run, metric, unit_of(metric, view.entries)[0], labels(view))
    middles = aligned([each.middle for each in found])
    pooled = [middle + each.interval for middle, each in zip(middles, found, strict=True)]
    room = max(map(len, pooled), default=0)
    pooled = [text.ljust(room) for text in pooled]
    marked = [[(ink(text), ""), _mark(each.verdict, ink)] for text, each in zip(pooled, found, strict=True)]
    columns = []
    if any(each.middle for each in found):
        columns.append(Column("all problems, pooled", tuple(marked), narrow=_HEADS[-1]))
    if any(each.rank for each in found):
        columns.append(Column("mean rank", tuple([(each.rank, "")] for each in found), right=True, narrow=4))
    return columns


def _closing_rows(view: View, metric: MetricInfo, ink: Glyphs) -> tuple[list[str], Cells]:
    """Return the same as rows below the problems, the ends of the interval in rows of their own."""
    found = overall.cells(view.run, metric, unit_of(metric, view.entries)[0], labels(view))
    rows = {
        "all problems, pooled": [each.middle for each in found],
        "  from": [each.low for each in found],
        "  to": [each.high for each in found],
        "mean rank": [each.rank for each in found],
    }
    rows = {name: texts for name, texts in rows.items() if any(texts)}
    cells: dict[tuple[int, int], Line] = {}
    for place, texts in enumerate(rows.values()):
        for column, (text, each) in enumerate(zip(texts, found, strict=True)):
            mark = _mark(each.verdict if place == 0 else None, ink)
            cells[place, column] = [("  ", ""), (ink(text), ""), mark] if text else []
    return list(rows), cells


def _mark(verdict: Verdict | None, ink: Glyphs) -> Span:
    return (f" {ink.mark(verdict)}" if verdict else "  ", STYLES.get(verdict, ""))


def _is_told(problem: Problem, name: str) -> bool:
    """Return whether a problem has the metric, or nothing at all since every row ended."""
    return any(entry.metric(name) for entry in problem.entries) or all(entry.ended for entry in problem.entries)


def _misfit(one: Sheet, width: int) -> tuple[bool, int]:
    """Return whether a table is too wide, and the number of tables that it needs."""
    how = plan(one.longest, [column.width for column in one.columns], 0, width)
    widest = max(sum(GAP + how.widths[place] for place in page) for page in how.pages)
    return how.label + widest > width, len(how.pages)


def _sheet(corner: str, rows: Sequence[str], heads: Sequence[str], cells: Cells, narrow: int) -> Sheet:
    columns = []
    for place, text in enumerate(heads):
        own = [cells.get((row, place), []) for row in range(len(rows))]
        starred = any(line and line[0][0].strip() for line in own)
        columns.append(Column(text, tuple(_pointed(own, starred)), lead=2 * starred, narrow=narrow))
    return Sheet(corner, tuple(map(Label, rows)), tuple(columns), 0)


def _pointed(lines: Sequence[Line], starred: bool) -> Iterator[Line]:
    """Yield texts with their decimal points under each other, without the space for stars where there are none."""
    texts = iter(aligned([line[1][0] for line in lines if len(line) > 1]))
    for line in lines:
        if len(line) > 1:
            (star, text, *rest) = line
            yield [*([star] if starred else []), (next(texts), text[1]), *rest]
        else:
            yield [("  " * starred + text, style) for text, style in line]


def _cells(view: View, metric: MetricInfo, ink: Glyphs) -> Iterator[tuple[tuple[int, int], Line]]:
    """Yield star, mean and sign of every row; the decimals are those of the problem's intervals."""
    places = {label: place for place, label in enumerate(labels(view))}
    size = unit_of(metric, view.entries)[0]
    for column, problem in enumerate(view.problems):
        items = [estimate(entry.metric(metric.label)) for entry in problem.entries]
        count = decimals([item.divided(size) for item in items if item])
        for entry, item in zip(problem.entries, items, strict=True):
            line = (
                _ended(entry, ink)
                if item is None
                else _mean(entry, problem, metric, number(item.mean / size, count), ink)
            )
            yield (places[entry.label], column), line


def _mean(entry: Entry, problem: Problem, metric: MetricInfo, text: str, ink: Glyphs) -> Line:
    star = STARS.get(entry.best(metric.label), "") if ranked(problem.entries, metric.label) else ""
    bold = "bold" if entry.best(metric.label) is Rank.BEST else ""
    return [(ink(star.ljust(1)) + " ", "bold yellow"), (ink(text), bold), *found_mark(entry, metric.label, ink)]


def _ended(entry: Entry, ink: Glyphs) -> Line:
    return [(ink(f"✗ {entry.row.status}" if entry.ended else MISSING), "")]
