"""Made-up runs, small and under full control, as the analysis reads them: one metric `m`, one row a loss and data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Run = dict[str, Any]


def row(loss: str, values: Sequence[float | None], dataset: str = "digits", **more: Any) -> Run:
    about = {"id": f"{loss}-{dataset}", "vary": {"dataset": dataset, "loss": loss}, "parameters": {}, "tuned": {}}
    cost = {"status": "ok", "reason": None, "seconds": 1.0, "peak_bytes": 1, "seeds": list(range(len(values)))}
    return {**about, **cost, "units": [], "notes": [], "metrics": {"m": list(values)}, **more}


def run(rows: Sequence[Run], gates: Sequence[Run], better: str = "higher", **more: Any) -> Run:
    axes = {axis: list(dict.fromkeys(each["vary"][axis] for each in rows)) for axis in ("dataset", "loss")}
    about = {"suite": "s", "question": "?", "run": "r", "protocol": "accuracy", "environment": {}, "axes": axes}
    plan = {"baseline": "old", "within": None, "contenders": ["loss"], "margin": None, "interval": "seeds"}
    measure = [{"label": "m", "better": better, "unit": None}]
    return {**about, **plan, "measure": measure, "cells": list(rows), "gates": list(gates), **more}
