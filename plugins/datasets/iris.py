"""Iris flowers."""

from __future__ import annotations

from typing import ClassVar

from harness import Dataset, hookimpl

from ._bundled import Bundled


class Iris(Bundled):
    """Iris flowers, 150 rows of 4 lengths (Fisher, 1936).

    Lengths in cm; 3 species of 50 as classes. The harness standardizes the columns by the seed's own training rows,
    unless `standardize` is false, and applies `label_noise` and `imbalance`, per seed too.
    """

    reference = """
    @article{fisher1936use, author = {Fisher, Ronald A.}, title = {The Use of Multiple Measurements in Taxonomic
      Problems}, journal = {Annals of Eugenics}, volume = {7}, number = {2}, pages = {179--188}, year = {1936}}"""

    loader: ClassVar[str] = "load_iris"


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Iris]
