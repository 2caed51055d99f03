"""A sheet without page breaks: every row complete, whatever its width."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.layout import Line, Sheet


def rows(sheet: Sheet) -> Iterator[list[Line]]:
    """Yield the label of a row, then one text for every column; a notice replaces the numbers in the first column."""
    for place, label in enumerate(sheet.labels):
        texts = [column.cells[place] for column in sheet.columns]
        if label.notice:
            whole = f"{label.notice}: {label.reason}" if label.reason else label.notice
            texts = [[(whole, label.style)], *([] for _ in texts[1:])]
        if not label.optional or any(texts):
            yield [[(label.text.strip(), label.style)], *texts]
