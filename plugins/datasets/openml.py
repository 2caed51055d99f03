"""A table from OpenML."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from harness import BenchError, Dataset, PathOrId, PositiveInt, errors, hookimpl

from ._cells import cells
from ._copies import check_copy, files, has_copy, incomplete, unreachable
from ._csv_text import Row, shown
from ._files import located
from ._tabular import Table, Tabular


class Openml(Tabular):
    """Table of OpenML, read from a copy on disk (Vanschoren et al., 2014).

    `dataset` is a name or a number at openml.org, `version` that of a name. `path` is the folder of the copy, one for
    each data set: `bench fetch SUITE.yaml` fills it, and a run reads it without a network. `target` names the column of
    the class, by default the one that OpenML says.

    Columns are treated as by `csv`, with the types that OpenML gives them: nominal ones become a 0/1 column for each
    category. Needs the package pandas: `pip install 'touchstone-bench[openml]'`.

    `label_noise` and `imbalance` are applied by the harness, per seed. Raises BenchError in one line.
    """

    reference = """
    @article{vanschoren2014openml, author = {Vanschoren, Joaquin and van Rijn, Jan N. and Bischl, Bernd and Torgo,
      Luis}, title = {{OpenML}: Networked Science in Machine Learning}, journal = {SIGKDD Explorations}, volume
      = {15}, number = {2}, pages = {49--60}, year = {2014}}"""

    dataset: str
    version: PositiveInt = 1
    path: PathOrId
    target: str = ""

    def read(self) -> Table:
        """Cells of the copy."""
        check_copy(self.path, self.dataset)
        found = self._fetched(incomplete)
        targets: list[str] = found.target_names
        target = self.target or (targets[0] if len(targets) == 1 else "")
        names = [str(name) for name in found.frame.columns]
        if target not in names:
            why = f"no column {shown(target)}" if target else "OpenML says no single target: name a column as `target`"
            raise BenchError(f"{why}{errors.near_miss(target, names)}")
        columns = [cells(found.frame[name]) for name in found.frame.columns]
        rows = [Row(number, list(row)) for number, row in enumerate(zip(*columns, strict=True), 1)]
        return Table(Row(0, names), rows, target, "row", _texts(found.frame))

    def to_fetch(self) -> str | None:
        """Name of the data set, if `path` has no copy."""
        return None if has_copy(self.path) else self.dataset

    def fetch(self) -> bool:
        """Download what is missing in `path`."""
        before = files(self.path)
        with located(self.path):
            self._fetched(unreachable)
        return files(self.path) != before

    def _fetched(self, failed: Callable[[str, Exception], BenchError]) -> Any:
        """The table by scikit-learn, which reads its copy and asks the network for what is not there."""
        try:
            import pandas  # noqa: F401
            from sklearn.datasets import fetch_openml
        except ImportError:
            what = "tables of OpenML are read with pandas, which is not installed"
            raise BenchError(f"{what}: pip install 'touchstone-bench[openml]'") from None
        which: dict[str, Any] = {"name": self.dataset, "version": self.version}
        if self.dataset.isdigit():
            which = {"data_id": int(self.dataset)}
        try:
            with warnings.catch_warnings(action="ignore"):  # of data sets with several versions
                return fetch_openml(**which, data_home=self.path, as_frame=True, parser="auto", n_retries=1, delay=1e-3)
        except Exception as error:  # of the network, of OpenML, of the format
            raise failed(self.dataset, error) from None


def _texts(frame: Any) -> Sequence[str]:
    """Return the columns that do not hold numbers."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return [str(name) for name, kind in frame.dtypes.items() if not is_numeric_dtype(kind) and not is_bool_dtype(kind)]


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Openml]
