"""Breast cancer, Wisconsin, diagnostic."""

from __future__ import annotations

from typing import ClassVar

from harness import Dataset, hookimpl

from ._bundled import Bundled


class BreastCancer(Bundled):
    """Breast tumors, 569 rows of 30 measurements (Street et al., 1993).

    Measurements of cell nuclei. Classes: 0 malignant, 1 benign. The harness standardizes the columns by the seed's own
    training rows, unless `standardize` is false, and applies `label_noise` and `imbalance`, per seed too.
    """

    reference = """
    @inproceedings{street1993nuclear, author = {Street, W. Nick and Wolberg, William H. and Mangasarian, Olvi L.},
      title = {Nuclear Feature Extraction for Breast Tumor Diagnosis}, booktitle = {Biomedical Image Processing
      and Biomedical Visualization}, year = {1993}}"""

    loader: ClassVar[str] = "load_breast_cancer"


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [BreastCancer]
