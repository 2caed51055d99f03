"""Wine."""

from __future__ import annotations

from typing import ClassVar

from harness.stock.datasets._bundled import Bundled

from harness import Dataset, hookimpl


class Wine(Bundled):
    """178 wines of one region, 13 chemical measurements, 3 growers as classes (Forina et al., 1988).

    The harness standardises the columns by the seed's own training rows, unless told not to, and applies `label_noise`
    and `imbalance`, per seed too.
    """

    loader: ClassVar[str] = "load_wine"


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [Wine]
