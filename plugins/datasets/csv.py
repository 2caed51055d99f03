"""A table from a CSV file."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy
import torch
from annotated_types import Ge

from harness import BenchError, Dataset, Examples, FilePath, UnitInterval, errors, hookimpl

from . import _csv_values as values
from ._csv_columns import Column, Encoder
from ._csv_text import SHOWN, Mistake, Row, ragged, read, refuse, shown, target_place

if TYPE_CHECKING:
    from torch import Generator

USES = ("ignore", "categorical")
"""Keys of the field `columns`."""

WRITTEN_INDEX = re.compile(r"Unnamed: \d+")
"""Name that pandas gives to an index it reads as a column, and then writes."""

CODES = "; leave cells without a value empty, name columns of codes in columns: {categorical: [...]}"


class CSV(Dataset):
    """Table from a CSV file, of which one column holds the classes.

    A UTF-8 file with a header line, such as pandas, R and spreadsheets write. `target` names the column of the class,
    `delimiter` is one character. Blank lines are skipped, and spaces around a cell do not count.

    Inputs [n, d] are every other column in the order of the file, by its cells:

    - Numbers, with a decimal point. They are read in float64 and the column's median is subtracted before they become
      float32, so that an offset of a whole column (a date in seconds) changes nothing. A column that float32 cannot
      resolve even so, or that is constant up to the rounding of float64, is an error; an exactly constant one is a
      note. A column is one of numbers if half of its cells are, or half of the distinct ones; any other cell is then
      an error with its line.
    - `True` and `False`, in any case: 1 and 0.
    - Text: a 0/1 column for each category, in sorted order. More than 100 categories, or more than half the rows
      beyond a handful, are an error. `columns: {categorical: [zip]}` makes categories of a column of numbers.
    - Missing values: an empty cell, `NA`, `N/A`, `NaN`, `NaT`, `null`, `None` or `?`, in any case, quoted or not. Among
      numbers and booleans the mean of the seed's own training rows (of its points, in `hubness`) stands in for them,
      and a 0/1 column after it says where. Among texts they are a category of their own. A column without any value
      is left out.
    - The column without a name that pandas and R write first, the index, is ignored, and so is `Unnamed: 0`, the same
      after another reading, where all its values differ. `columns: {ignore: [id]}` ignores others.

    What was ignored, encoded, filled in or looks wrong is a note in the report.

    With `standardize` every column is then shifted and scaled by the mean and deviation of the seed's own training
    rows. Without it the numbers stay as they are in the file, with their origin; the median is subtracted only where
    float32 could not resolve the column otherwise, with a note.

    A class is a text: `0123`, `123` and `123.0` are three, and so are `yes`, `Yes` and `None`. Quotes around a cell are
    no part of it. With `labels: number` classes are numbers, and those three are one. Classes are numbered in sorted
    order, by value where all of them are numbers. A row without a label is an error.

    `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError in one line with the file, and
    the lines and columns of what is wrong; `bench validate` reads the file too.
    """

    path: FilePath
    target: str
    delimiter: str = ","
    columns: Mapping[str, Any] | None = None
    labels: Literal["text", "number"] = "text"
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    def load(self, generator: Generator) -> Examples:
        """The whole table, rows and columns in the order of the file."""
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise BenchError(f"csv.delimiter: expected one character, got {self.delimiter!r}")
        uses = _uses(self.columns or {})
        try:
            return self._examples(uses)
        except BenchError as error:
            raise BenchError(error.what, self.path) from None

    def _examples(self, uses: Mapping[str, Sequence[str]]) -> Examples:
        header, rows = read(self.path, self.delimiter)
        place = target_place(header, self.target, self.delimiter)
        _check_names(uses, header.cells, self.target)
        if not rows:
            raise BenchError("has a header but no rows")
        mistakes = ragged(header, rows, self.delimiter)
        whole = [row for row in rows if len(row.cells) == len(header.cells)]
        mistakes += [Mistake(row.line, f"missing value in {self.target!r}") for row in whole if not row.cells[place]]
        encoder = self._encoded(header, whole, uses, mistakes)
        targets, count, notes = self._classes([(row.line, row.cells[place]) for row in whole])
        return Examples(
            inputs=torch.from_numpy(numpy.stack(encoder.inputs, axis=1)),
            targets=torch.tensor(targets),
            classes=count,
            label_noise=self.label_noise,
            imbalance=self.imbalance,
            standardize=self.standardize,
            missing=encoder.missing,
            notes=(*encoder.notes(), *notes),
        )

    def _encoded(
        self, header: Row, rows: Sequence[Row], uses: Mapping[str, Sequence[str]], mistakes: list[Mistake]
    ) -> Encoder:
        """Encode all inputs. Raises BenchError for the mistakes so far and those among the cells, then for columns."""
        encoder, cells, useless = Encoder(self.standardize), [], []
        for number, name in enumerate(header.cells):
            if name == self.target or name in uses["ignore"]:
                continue
            column = Column(name, [row.line for row in rows], [row.cells[number] for row in rows])
            why = None if name in uses["categorical"] else _no_input(column, number, header)
            if why:
                encoder.ignored.append(why)
                continue
            try:
                cells += encoder.add(column, name in uses["categorical"])
            except BenchError as error:
                useless.append(error.what)
        refuse([*mistakes, *cells], CODES if encoder.mixed else "")
        if useless:
            more = f"; and {len(useless) - SHOWN} more columns" if len(useless) > SHOWN else ""
            raise BenchError("; ".join(useless[:SHOWN]) + more)
        if not encoder.inputs:
            raise BenchError(f"no column with a value beside the target {self.target!r}")
        return encoder

    def _classes(self, labels: Sequence[tuple[int, str]]) -> tuple[list[int], int, list[str]]:
        """Return the class number of each (line, label), the number of classes, and notes on what may mislead."""
        texts = [text for _, text in labels]
        keys: Sequence[Any] = texts
        order: dict[Any, int] = {text: number for number, text in enumerate(values.categories(texts))}
        notes: list[str] = []
        if self.labels == "number":
            keys = [values.exact(text) for text in texts]
            wrong = [(line, text) for line, text in labels if values.exact(text) is None]
            refuse([Mistake(line, f"{shown(text)} in {self.target!r} is not a finite number") for line, text in wrong])
            order = {value: number for number, value in enumerate(sorted(set(keys)))}
        else:
            written = values.differently_written(order)
            notes += [f"{self.target!r}: {written} are different classes"] if written else []
            for word in filter(values.is_missing, order):
                notes.append(f"{self.target!r}: {word!r} is a class, of {texts.count(word)} rows")
        if len(order) == 1:
            raise BenchError(f"all rows have the same {self.target!r}: {shown(texts[0])}")
        return [order[key] for key in keys], len(order), notes


def _uses(columns: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the columns for each use. Raises BenchError for another key and for what is no list."""
    for key, names in columns.items():
        if key not in USES:
            raise BenchError(f"csv.columns: no key {key!r}{errors.near_miss(str(key), USES)}")
        if not isinstance(names, (list, tuple)) or not all(isinstance(name, (str, int)) for name in names):
            raise BenchError(f"csv.columns: {key} takes a list of columns, {{{key}: [a, b]}}, got {names!r}")
    return {key: [str(name) for name in columns.get(key, ())] for key in USES}


def _check_names(uses: Mapping[str, Collection[str]], header: Sequence[str], target: str) -> None:
    """Check that all names are columns beside the target, none of them for two uses. Raises BenchError."""
    inputs = [name for name in header if name != target]
    for key, names in uses.items():
        for name in names:
            if name == target:
                raise BenchError(f"columns.{key}: {name!r} is the target")
            if name not in inputs:
                raise BenchError(f"columns.{key}: no column {name!r}{errors.near_miss(name, filter(None, inputs))}")
    both = sorted(set(uses["ignore"]) & set(uses["categorical"]))
    if both:
        raise BenchError(f"columns: {both[0]!r} is to be ignored and categorical")


def _no_input(column: Column, number: int, header: Row) -> str | None:
    """Return a note on a column that is an index or empty and without a name; None for any other.

    Raises BenchError for another column without a name.
    """
    if WRITTEN_INDEX.fullmatch(column.name):
        index = len(set(column.cells)) == len(column.cells)
        return f"{column.name!r} is ignored as an index" if index else None
    if column.name:
        return None
    if not any(column.cells):
        return f"column {number + 1} of the file has no name and no values and is ignored"
    if any(header.cells[:number]):
        raise BenchError(f"line {header.line}: column {number + 1} has no name")
    return f"column {number + 1} of the file has no name and is ignored as an index"


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [CSV]
