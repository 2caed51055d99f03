"""Statistics are computed once for the same rows, results per example and code, and again where one of them differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest

import harness
from harness.results import MeasuredRun
from harness.run import analyses
from harness.worker.child import Child
from harness.worker.supervisor import Server
from tests.conftest import Bench
from tests.helpers.analysis import measured

pytestmark = pytest.mark.verify


class Counting(Server):
    """A fork server that counts its children."""

    started = 0

    def start(self, log: Path | None = None, **options: Any) -> Child:
        self.started += 1
        return super().start(log, **options)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and one file of results per example."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "touchstone-bench" / "analyses"


def rows(accuracy: float = 0.5, run: str = "r", units: tuple[str, ...] = ()) -> MeasuredRun:
    """A measured run of one row."""
    cell: Mapping[str, Any] = {
        "id": "a", "vary": {"loss": "a"}, "parameters": {}, "status": "ok", "seeds": [0, 1], "units": units,
        "metrics": {"accuracy": [accuracy, 0.75]},
    }  # fmt: skip
    return measured({"run": run, "metrics": [{"label": "accuracy", "higher_is_better": True}], "axes": {"loss": ["a"]},
                     "contenders": ["loss"], "baseline": None, "group_by": None, "cells": [cell]})  # fmt: skip


def test_the_same_rows_are_analysed_once(folder: Path) -> None:
    with Counting() as server:
        first = analyses.analysed(rows(), server)
        again = analyses.analysed(rows(run="s"), server)
        assert server.started == 1 and (first.run, again.run) == ("r", "s")
        assert again.cells == first.cells and first.cells[0].metrics["accuracy"].mean == 0.625
        assert analyses.analysed(rows(0.25), server).cells[0].metrics["accuracy"].mean == 0.5
        assert server.started == 2


def test_other_results_per_example_or_a_damaged_file_are_analysed_again(folder: Path, tmp_path: Path) -> None:
    units = tmp_path / "units.npz"

    def right(*examples: list[float]) -> None:
        ids = numpy.arange(4)[None].repeat(2, 0)
        numpy.savez(units, **{"seeds": numpy.arange(2), "accuracy/values": numpy.array(examples), "accuracy/ids": ids})

    def interval(server: Server) -> tuple[object, object]:
        metric = analyses.analysed(rows(units=(str(units),)), server).cells[0].metrics["accuracy"]
        return metric.low, metric.high

    with Counting() as server:
        right([1, 1, 0, 0], [1, 1, 1, 0])
        nested = interval(server)
        right([0, 1, 1, 0], [1, 0, 1, 1])
        crossed = interval(server)
        assert crossed != nested and server.started == 2
        for file in folder.iterdir():
            file.write_bytes(file.read_bytes().replace(b"0.625", b"0.999"))
        assert interval(server) == crossed and server.started == 3


def test_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyses, "KEPT", 2)
    with Counting() as server:
        for value in (0.1, 0.2, 0.3):
            analyses.analysed(rows(value), server)
        analyses.analysed(rows(0.3), server)
        assert server.started == 3 and len(list(folder.iterdir())) == 2
        analyses.analysed(rows(0.1), server)
        assert server.started == 4


def test_a_run_that_measures_nothing_starts_no_process(
    folder: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = bench.suite("[good, {good: {value: 0.25}}]")
    first = harness.run(suite, results=bench.folder / "results", device="cpu")

    def started(*_: object, **__: object) -> Child:
        raise AssertionError("a process was started")

    monkeypatch.setattr(Server, "start", started)
    again = harness.run(suite, results=bench.folder / "results", device="cpu")
    assert json.loads(again.to_json())["cells"] == json.loads(first.to_json())["cells"]
    with pytest.raises(AssertionError, match="a process was started"):
        harness.run(suite, results=bench.folder / "results", device="cpu", seeds=9)
