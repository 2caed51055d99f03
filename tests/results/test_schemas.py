"""Results of every earlier schema are read for good: real ones, kept as they were written, against their own numbers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BenchError
from harness.report import render
from harness.results.codec import from_json
from harness.results.model import SCHEMA

FOLDER = Path(__file__).resolve().parent / "schemas"
FILES = sorted(FOLDER.glob("*.json"))
SAME = {"same": "equivalent"}
"""Verdicts with another name today."""


def content(file: Path) -> Any:
    return json.loads(file.read_bytes())


def test_every_schema_until_now_has_a_result_that_is_kept() -> None:
    assert {content(file)["schema"] for file in FILES} == {*range(1, SCHEMA + 1)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_measured_is_read(file: Path) -> None:
    found = content(file)
    run = from_json(found)
    assert run.schema == SCHEMA and (run.suite, run.question, run.run) == (
        found["suite"],
        found["question"],
        found["run"],
    )
    assert [row.id for row in run.cells] == [cell["id"] for cell in found["cells"]]
    for row, cell in zip(run.cells, found["cells"], strict=True):
        assert (row.vary, row.status, row.seeds) == (cell["vary"], cell["status"], tuple(cell["seeds"]))
        assert (row.why is None) == (cell["reason"] is None)
        assert row.peak_memory == cell.get("peak_memory", cell.get("peak_bytes"))
        for label, said in cell["metrics"].items():
            value = row.metrics[label]
            assert (value.values, value.mean) == (tuple(said["values"]), said["mean"])
            assert (value.low, value.high, value.unit) == (said["low"], said["high"], said["unit"])
        for label, said in cell["against"].items():
            entry = row.against[label]
            assert (entry.difference, entry.p_holm) == (said["difference"], said["p_holm"])
            assert entry.verdict == SAME.get(said["verdict"], said["verdict"])
        assert row.best == cell["best"]


@pytest.mark.parametrize("form", ["md", "latex", "csv", "json"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_measured_is_reported(file: Path, form: str) -> None:
    found = content(file)
    run = from_json(found)
    if form == "json":
        assert replace(from_json(json.loads(render(run, form))), statements=()) == replace(run, statements=())
        return
    text = render(run, form)
    assert all(cell["vary"][run.contenders[0]] in text.replace("\\_", "_") for cell in found["cells"])


def test_directions_and_thresholds_of_metrics_are_read() -> None:
    first = from_json(content(FOLDER / "schema-1-accuracy.json"))
    assert [(each.label, each.higher_is_better) for each in first.metrics] == [("accuracy", True), ("nll", False)]
    speed = from_json(content(FOLDER / "schema-1-speed.json"))
    assert speed.primary.relative_margin == content(FOLDER / "schema-1-speed.json")["measure"][0]["ratio"] is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_result_of_the_future_or_with_a_part_gone_is_one_line(file: Path) -> None:
    found = content(file)
    with pytest.raises(BenchError, match=re.escape(f"this version reads schemas up to {SCHEMA}")):
        from_json({**found, "schema": 99})
    for wrong in ({"cells": 5}, {"cells": [5]}, {"measure": 5, "metrics": [5]}, {"schema": []}, {"schema": None}):
        with pytest.raises(BenchError):
            from_json({**found, **wrong})
