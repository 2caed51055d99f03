"""Made-up runs as JSON data: read as measured runs, analysed, and given back as the result JSON that users read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import harness.analysis
from harness.analysis import Partner
from harness.report.result import Result
from harness.results import MeasuredRun
from harness.results.codec import typed

ROW = (
    "on_threshold",
    "id",
    "vary",
    "parameters",
    "tuned",
    "status",
    "seconds",
    "peak_memory",
    "seeds",
    "units",
    "notes",
    "bootstrap",
)
RUN = ("suite", "question", "run", "protocol", "environment", "metrics", "axes", "contenders", "group_by", "baseline",
       "margin", "interval", "controls", "gates", "claims", "asks", "unpaired", "exit")  # fmt: skip


def measured(run: Mapping[str, Any]) -> MeasuredRun:
    """A run whose cells hold "metrics" as lists of values, and perhaps "reason" and "excluded" as texts."""
    plain = json.loads(json.dumps(run, default=float))
    cells = []
    for cell in plain["cells"]:
        why = {"kind": "said", "text": cell["reason"]} if cell.get("reason") else None
        known = {key: cell[key] for key in ROW if key in cell}
        cells.append({**known, "values": cell.get("metrics", {}), "why": why, "excluded": cell.get("excluded")})
    about = {"suite": "s", "question": "?", "run": "r", "protocol": "accuracy"}
    return typed(MeasuredRun, {**about, **{key: plain[key] for key in RUN if key in plain}, "cells": cells})


def analyse(run: Mapping[str, Any] | MeasuredRun) -> Any:
    """The result JSON."""
    found = harness.analysis.analyse(run if isinstance(run, MeasuredRun) else measured(run))
    return json.loads(Result(found).to_json())


def partners(run: Mapping[str, Any]) -> list[Partner] | None:
    """Which row each is compared with."""
    found = measured(run)
    return harness.analysis.partners(found, found.cells)
