"""Iris flowers."""

from __future__ import annotations

from typing import ClassVar

from harness.stock.datasets._bundled import Bundled

from harness import Dataset, hookimpl


class Iris(Bundled):
    """150 flowers, 4 lengths in cm, 3 species of 50 as classes (Fisher, 1936).

    The harness standardises the columns by the seed's own training rows, unless told not to, and applies `label_noise`
    and `imbalance`, per seed too.
    """

    loader: ClassVar[str] = "load_iris"


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Iris]
