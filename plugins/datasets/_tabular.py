"""Tables whose columns have names, one of them the classes, from whatever kind of file."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy
import torch
from annotated_types import Ge

from harness import BenchError, Dataset, Examples, FilePath, UnitInterval, errors

from . import _csv_values as values
from ._csv_columns import Column, Encoder
from ._csv_text import SHOWN, Mistake, Row, refuse, shown
from ._files import located

if TYPE_CHECKING:
    from torch import Generator

USES = ("ignore", "categorical")
"""Keys of the field `columns`."""

WRITTEN_INDEX = re.compile(r"Unnamed: \d+")
"""Name that pandas gives to an index it reads as a column, and then writes."""

CODES = "; leave cells without a value empty, name columns of codes in columns: {categorical: [...]}"


class Table(NamedTuple):
    """Cells of a table as texts, empty where a value is missing.

    `place` is what messages call a row, `line` or `row`; `texts` are columns that the file says are text, `indexes`
    those it says are an index. `mistakes` are rows that cannot be used, which `rows` may hold.
    """

    header: Row
    rows: Sequence[Row]
    target: str
    place: str = "line"
    texts: Collection[str] = ()
    indexes: Collection[str] = ()
    mistakes: Sequence[Mistake] = ()


class Tabular(Dataset):
    """A table of which the column `target` holds the classes and every other one is an input."""

    path: FilePath
    target: str
    columns: Mapping[str, Any] | None = None
    labels: Literal["text", "number"] = "text"
    label_noise: UnitInterval = 0.0
    imbalance: Annotated[float, Ge(1)] = 1.0
    standardize: bool = True

    @abstractmethod
    def read(self) -> Table:
        """Read the table, its target among the columns. Raises BenchError for a file that is none."""

    def load(self, generator: Generator) -> Examples:
        """The whole table, rows and columns in the order of the file."""
        uses = self._uses()
        with located(self.path):
            return self._examples(self.read(), uses)

    def _uses(self) -> dict[str, list[str]]:
        """Return the names of the columns for each use. Raises BenchError for another key and for what is no list."""
        columns, field = self.columns or {}, f"{self.spec()['name']}.columns"
        for key, names in columns.items():
            if key not in USES:
                raise BenchError(f"{field}: no key {key!r}{errors.near_miss(str(key), USES)}")
            if not isinstance(names, (list, tuple)) or not all(isinstance(name, (str, int)) for name in names):
                raise BenchError(f"{field}: {key} takes a list of columns, {{{key}: [a, b]}}, got {names!r}")
        return {key: [str(name) for name in columns.get(key, ())] for key in USES}

    def _examples(self, table: Table, uses: Mapping[str, Sequence[str]]) -> Examples:
        header, target = table.header, table.target
        _check_names(uses, header.cells, target)
        if not table.rows:
            raise BenchError("has a header but no rows")
        place = header.cells.index(target)
        whole = [row for row in table.rows if len(row.cells) == len(header.cells)]
        mistakes = [*table.mistakes]
        mistakes += [Mistake(row.line, f"missing value in {target!r}") for row in whole if not row.cells[place]]
        encoder = self._encoded(table, whole, uses, mistakes)
        targets, count, notes = self._classes([(row.line, row.cells[place]) for row in whole], table)
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
        self, table: Table, rows: Sequence[Row], uses: Mapping[str, Sequence[str]], mistakes: list[Mistake]
    ) -> Encoder:
        """Encode all inputs. Raises BenchError for the mistakes so far and those among the cells, then for columns."""
        encoder, cells, useless = Encoder(self.standardize, table.place), [], []
        for number, name in enumerate(table.header.cells):
            if name == table.target or name in uses["ignore"]:
                continue
            column = Column(name, [row.line for row in rows], [row.cells[number] for row in rows])
            why = None if name in uses["categorical"] else _no_input(column, number, table)
            if why:
                encoder.ignored.append(why)
                continue
            try:
                cells += encoder.add(column, name in uses["categorical"] or name in table.texts)
            except BenchError as error:
                useless.append(error.what)
        refuse([*mistakes, *cells], CODES if encoder.mixed else "", table.place)
        if useless:
            more = f"; and {len(useless) - SHOWN} more columns" if len(useless) > SHOWN else ""
            raise BenchError("; ".join(useless[:SHOWN]) + more)
        if not encoder.inputs:
            raise BenchError(f"no column with a value beside the target {table.target!r}")
        return encoder

    def _classes(self, labels: Sequence[tuple[int, str]], table: Table) -> tuple[list[int], int, list[str]]:
        """Return the class number of each (line, label), the number of classes, and notes on what may mislead."""
        texts = [text for _, text in labels]
        keys: Sequence[Any] = texts
        order: dict[Any, int] = {text: number for number, text in enumerate(values.categories(texts))}
        notes: list[str] = []
        if self.labels == "number":
            keys = [values.exact(text) for text in texts]
            wrong = [(line, text) for line, text in labels if values.exact(text) is None]
            what = f"in {table.target!r} is not a finite number"
            refuse([Mistake(line, f"{shown(text)} {what}") for line, text in wrong], place=table.place)
            order = {value: number for number, value in enumerate(sorted(set(keys)))}
        else:
            written = values.differently_written(order)
            notes += [f"{table.target!r}: {written} are different classes"] if written else []
            for word in filter(values.is_missing, order):
                notes.append(f"{table.target!r}: {word!r} is a class, of {texts.count(word)} rows")
        if len(order) == 1:
            raise BenchError(f"all rows have the same {table.target!r}: {shown(texts[0])}")
        return [order[key] for key in keys], len(order), notes


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


def _no_input(column: Column, number: int, table: Table) -> str | None:
    """Return a note on a column that is an index or empty and without a name; None for any other.

    Raises BenchError for another column without a name.
    """
    if column.name in table.indexes:
        return f"{column.name!r} is ignored as an index"
    if WRITTEN_INDEX.fullmatch(column.name):
        index = len(set(column.cells)) == len(column.cells)
        return f"{column.name!r} is ignored as an index" if index else None
    if column.name:
        return None
    if not any(column.cells):
        return f"column {number + 1} of the file has no name and no values and is ignored"
    if any(table.header.cells[:number]):
        raise BenchError(f"{table.place} {table.header.line}: column {number + 1} has no name")
    return f"column {number + 1} of the file has no name and is ignored as an index"
