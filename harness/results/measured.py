"""A measured run before its statistics: the input of the analysis."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.results.model import ClaimedOrder, GateRule, RowInfo, RunInfo
from harness.results.statements import Issue
from harness.results.values import Bootstrap, Number


@dataclass(frozen=True, kw_only=True)
class MeasuredRow(RowInfo):
    """A measured row before its statistics.

    `values` holds one number per seed and metric, as records store it; `units` are the files of results per example.
    """

    values: dict[str, tuple[Number, ...]] = field(default_factory=dict)
    bootstrap: dict[str, Bootstrap] = field(default_factory=dict)
    excluded: str | None = None
    """Reason why the protocol excludes the row from comparisons, in its words."""
    units: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MeasuredRun(RunInfo):
    """A run before its statistics: the measured rows, the gates and claims to evaluate, the issues known so far.

    `unpaired` are metrics whose values are not paired by seed.
    """

    cells: tuple[MeasuredRow, ...] = ()
    gates: tuple[GateRule, ...] = ()
    claims: tuple[ClaimedOrder, ...] = ()
    notices: tuple[Issue, ...] = ()
    unpaired: tuple[str, ...] = ()
    exit: int | None = None
