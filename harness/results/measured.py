"""A run as it was measured, before its statistics: what passes from the run to the analysis."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.results.model import Bootstrap, ClaimedOrder, GateRule, RowInfo, RunInfo
from harness.results.statements import Issue


@dataclass(frozen=True, kw_only=True)
class MeasuredRow(RowInfo):
    """A row as it was measured, before any statistics.

    `values` hold one number per seed and metric; `units` are the files of results per example.
    """

    values: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    bootstrap: dict[str, Bootstrap] = field(default_factory=dict)
    excluded: str | None = None
    """Why the protocol takes the row out of every comparison, in its words."""
    units: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeasuredRun(RunInfo):
    """A run before its statistics: the rows as measured, the gates and claims to be judged, the issues known so far.

    `unpaired` are metrics whose values no seed pairs.
    """

    cells: tuple[MeasuredRow, ...] = ()
    gates: tuple[GateRule, ...] = ()
    claims: tuple[ClaimedOrder, ...] = ()
    notices: tuple[Issue, ...] = ()
    unpaired: tuple[str, ...] = ()
    exit: int | None = None
