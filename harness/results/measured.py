"""A measured run before its statistics: the input of the analysis."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.results.claims import Ask, ClaimRule
from harness.results.model import GateRule, RowInfo, RunInfo
from harness.results.statements import Issue, ReasonKind
from harness.results.values import Bootstrap, Looks, Number


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
    resolution: dict[str, float] = field(default_factory=dict)
    """Change of a metric's values that rounding of its inputs may cause, by label, where it was measured."""

    @property
    def is_left_out(self) -> bool:
        """Whether the row was not selected and nothing is stored of it."""
        return self.why is not None and self.why.kind is ReasonKind.LEFT_OUT


@dataclass(frozen=True, kw_only=True)
class MeasuredRun(RunInfo):
    """A run before its statistics: the measured rows, what to evaluate on them, the issues known so far.

    `unpaired` are metrics whose values are not paired by seed. `left_out` are the rows of the suite that are not part
    of the run, with what is stored of them: they count in the corrections for multiple comparisons.
    """

    cells: tuple[MeasuredRow, ...] = ()
    left_out: tuple[MeasuredRow, ...] = ()
    gates: tuple[GateRule, ...] = ()
    claims: tuple[ClaimRule, ...] = ()
    asks: tuple[Ask, ...] = ()
    notices: tuple[Issue, ...] = ()
    unpaired: tuple[str, ...] = ()
    exit: int | None = None
    looks: tuple[Looks, ...] = ()
