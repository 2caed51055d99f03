"""A table from a CSV file."""

from __future__ import annotations

from harness import BenchError, Dataset, hookimpl

from ._csv_text import check_target, ragged, read
from ._tabular import Table, Tabular


class CSV(Tabular):
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

    delimiter: str = ","

    def read(self) -> Table:
        """Cells of the file."""
        if len(self.delimiter) != 1 or self.delimiter in '\r\n"':
            raise BenchError(f"csv.delimiter: expected one character, got {self.delimiter!r}")
        header, rows = read(self.path, self.delimiter)
        check_target(header, self.target, self.delimiter)
        return Table(header, rows, self.target, mistakes=ragged(header, rows, self.delimiter))


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [CSV]
