"""Wine."""

from __future__ import annotations

from typing import ClassVar

from harness import Dataset, hookimpl

from ._bundled import Bundled


class Wine(Bundled):
    """Wines of one region, 178 rows of 13 measurements (Forina et al., 1988).

    Chemical measurements; 3 growers as classes. The harness standardizes the columns by the seed's own training rows,
    unless `standardize` is false, and applies `label_noise` and `imbalance`, per seed too.
    """

    loader: ClassVar[str] = "load_wine"


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Wine]
