"""Results: typed values, their JSON, the store of records, access to finished runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.fields import Json
    from harness.results.claims import (
        PAIRED,
        TRENDS,
        Ask,
        Asked,
        Claim,
        ClaimForm,
        ClaimKind,
        ClaimRule,
        ClaimTest,
        Leaders,
        Outcome,
    )
    from harness.results.measured import MeasuredRow, MeasuredRun
    from harness.results.model import (
        Comparison,
        Gate,
        GateRule,
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
    from harness.results.values import (
        Blocks,
        Bootstrap,
        Bounded,
        ComparedFeatures,
        Label,
        Labels,
        Looks,
        Needed,
        Overall,
        Pooled,
        Ratio,
        ReferenceKind,
        Shard,
        Standing,
    )

__all__ = [
    "LOST",
    "PAIRED",
    "TRENDS",
    "Ask",
    "Asked",
    "Blocks",
    "Bootstrap",
    "Bounded",
    "Claim",
    "ClaimForm",
    "ClaimKind",
    "ClaimRule",
    "ClaimTest",
    "ComparedFeatures",
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
    "Leaders",
    "Looks",
    "MeasuredRow",
    "MeasuredRun",
    "MetricInfo",
    "MetricValue",
    "Needed",
    "Outcome",
    "Overall",
    "Pooled",
    "Published",
    "Rank",
    "Ratio",
    "Reason",
    "ReasonKind",
    "ReferenceKind",
    "Row",
    "RowInfo",
    "Run",
    "RunInfo",
    "Shard",
    "Standing",
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
_CLAIMS = frozenset(
    {
        "PAIRED",
        "TRENDS",
        "Ask",
        "Asked",
        "Claim",
        "ClaimForm",
        "ClaimKind",
        "ClaimRule",
        "ClaimTest",
        "Leaders",
        "Outcome",
    }
)
_MEASURED = frozenset({"MeasuredRow", "MeasuredRun"})
_VALUES = frozenset(
    {
        "Blocks",
        "Bootstrap",
        "Bounded",
        "ComparedFeatures",
        "Label",
        "Labels",
        "Looks",
        "Needed",
        "Overall",
        "Pooled",
        "Ratio",
        "ReferenceKind",
        "Shard",
        "Standing",
    }
)


def __getattr__(name: str) -> object:
    """Load the types on first use: the command lists and checks without them."""
    if name not in __all__:
        raise AttributeError(f"module 'harness.results' has no attribute {name!r}")
    places = {"statements": _STATEMENTS, "claims": _CLAIMS, "measured": _MEASURED, "values": _VALUES}
    module = next((place for place, names in places.items() if name in names), "model")
    return getattr(importlib.import_module(f"harness.results.{module}"), name)
