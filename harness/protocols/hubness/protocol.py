"""The hubness protocol: how often each point is a nearest neighbor of others, under each dissimilarity."""

from __future__ import annotations

from harness.base import Component
from harness.hookspecs import hookimpl
from harness.kinds.evaluation import CellContext, CellRunner
from harness.protocols.hubness.session import Counting
from harness.protocols.hubness.settings import HubnessSettings


class Hubness(HubnessSettings):
    """Finds the k nearest others of every point and counts the occurrences.

    The count of a point is the number of points that have it among their nearest. A seed draws `n` points, the same for
    every contender: new ones where the data set generates them, else rows of its table. With `dim` they have so many
    dimensions: generated like that, or a table's first principal components. `engine` finds Euclidean neighbors; other
    dissimilarities support `exact` alone. Where more points are equally near than there are places for, every metric is
    the mean over 100 random choices among them, independent for every point: the order of rows decides nothing, and the
    share of such places is noted. A metric of the counts has an interval within each seed too, by the bootstrap
    of the counts (95 %, percentiles). Points are not resampled, since their copies would be hubs.
    """

    def setup(self, case: CellContext) -> CellRunner:
        """Set up the points. Raises Skip for too few points or dimensions, BenchError for an engine that is missing."""
        return Counting(self, case)


@hookimpl
def components() -> list[type[Component]]:
    """Return the component classes of this module."""
    return [Hubness]
