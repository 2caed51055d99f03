"""Breast cancer, Wisconsin, diagnostic."""

from __future__ import annotations

from typing import ClassVar

from harness.stock.datasets._bundled import Bundled

from harness import Dataset, hookimpl


class BreastCancer(Bundled):
    """569 breast tumours, 30 measurements of cell nuclei (Street et al., 1993). Classes: 0 malignant, 1 benign.

    The harness standardises the columns by the seed's own training rows, unless told not to, and applies `label_noise`
    and `imbalance`, per seed too.
    """

    loader: ClassVar[str] = "load_breast_cancer"


@hookimpl
def components() -> list[type[Dataset]]:
    """What this file brings."""
    return [BreastCancer]
