"""Results: typed values, their JSON, the store of records, access to finished runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.fields import Json
    from harness.results.measured import MeasuredRow, MeasuredRun
    from harness.results.model import (
        Claim,
        ClaimedOrder,
        ClaimedPair,
        Comparison,
        Gate,
        GateRule,
        Label,
        Labels,
        MetricInfo,
        MetricValue,
        Published,
        Row,
        RowInfo,
        Run,
        RunInfo,
    )
    from harness.results.statements import (
        LOST,
        FailOn,
        IntervalKind,
        Issue,
        IssueKind,
        Rank,
        Reason,
        ReasonKind,
        Statement,
        StatementKind,
        Status,
        StopReason,
        Verdict,
        Weakness,
    )
    from harness.results.values import Blocks, Bootstrap, Needed, Ratio

__all__ = [
    "LOST",
    "Blocks",
    "Bootstrap",
    "Claim",
    "ClaimedOrder",
    "ClaimedPair",
    "Comparison",
    "FailOn",
    "Gate",
    "GateRule",
    "IntervalKind",
    "Issue",
    "IssueKind",
    "Json",
    "Label",
    "Labels",
    "MeasuredRow",
    "MeasuredRun",
    "MetricInfo",
    "MetricValue",
    "Needed",
    "Published",
    "Rank",
    "Ratio",
    "Reason",
    "ReasonKind",
    "Row",
    "RowInfo",
    "Run",
    "RunInfo",
    "Statement",
    "StatementKind",
    "Status",
    "StopReason",
    "Verdict",
    "Weakness",
]

_STATEMENTS = frozenset(
    {
        "LOST",
        "FailOn",
        "IntervalKind",
        "Issue",
        "IssueKind",
        "Rank",
        "Reason",
        "ReasonKind",
        "Statement",
        "StatementKind",
        "Status",
        "StopReason",
        "Verdict",
        "Weakness",
    }
)
_MEASURED = frozenset({"MeasuredRow", "MeasuredRun"})
_VALUES = frozenset({"Blocks", "Bootstrap", "Needed", "Ratio"})


def __getattr__(name: str) -> object:
    """Load the types on first use: the command lists and checks without them."""
    if name not in __all__:
        raise AttributeError(f"module 'harness.results' has no attribute {name!r}")
    places = {"statements": _STATEMENTS, "measured": _MEASURED, "values": _VALUES}
    module = next((place for place, names in places.items() if name in names), "model")
    return getattr(importlib.import_module(f"harness.results.{module}"), name)
