"""The sentences around the tables."""

from __future__ import annotations

import re

from harness.report import render

from .factory import LONG, LOSSES, METRICS, cell, result
from .reading import spaced


def test_header_and_legend_say_what_was_done() -> None:
    report = spaced(render(result(), "console", 200))
    for part in ("losses-on-digits", "Does any loss beat cross-entropy?", "2 seeds", "2 problems × 5 contenders"):
        assert part in report
    for part in ("accuracy · mlp · 2 seeds · ", "torch 2.13.0", "30.0 s", "Holm for 8 comparisons"):
        assert part in report
    assert "95 % intervals over seeds and test examples" in report
    assert "▲ better" in report and "☆ not told apart from the best" in report


def test_legend_explains_only_what_occurs() -> None:
    data = result(METRICS[:1], LOSSES[:1])
    for each in data["cells"]:
        each["best"] = {}
        each["metrics"]["accuracy"]["interval"] = "seeds"
    report = render(data, "console", 120)
    assert "95 % intervals over seeds\n" in report
    for absent in ("★", "☆", "▲", "▼", "Holm", "↓"):
        assert absent not in report


def test_undecided_rows_say_what_would_decide_unless_the_answer_does() -> None:
    data = result()
    report = spaced(render(data, "console", 120))
    assert "focal on digits: about 40 more seeds" in report
    assert "focal on digits(label_noise=0.1): about 41 more seeds" in report
    data["answer"] = "focal is not told apart from cross_entropy on digits (difference 0.1): needs about 40 more seeds."
    report = spaced(render(data, "console", 120))
    assert "focal on digits: about 40 more seeds" not in report
    assert "focal on digits(label_noise=0.1): about 41 more seeds" in report


def test_the_form_the_analysis_gives() -> None:
    from harness.analysis import analyse

    values = {"cross_entropy": [0.90, 0.91, 0.92, 0.93, 0.91], "focal": [0.95, 0.955, 0.97, 0.975, 0.962], LONG: None}
    cells = [
        cell(0, 0, (), label) | {"metrics": {"accuracy": each}, "seeds": [0, 1, 2, 3, 4], "units": []}
        for label, each in values.items()
    ]
    cells[2] |= {"status": "oom", "reason": "asked for 9 GiB", "metrics": {}}
    run = {**result(METRICS[:1], tuple(values), 1), "margin": None, "interval": "seeds", "cells": cells, "warnings": []}
    report = spaced(render(analyse(run), "console", 120))  # by hand: the mean ± t(0.975, 4) times the standard error
    assert re.search(r"focal ★ 0\.962 ± 0\.013 \+0\.0484 ± 0\.0040 ▲ better <0\.001", report)
    assert "✗ oom: asked for 9 GiB" in report and "cross_entropy 0.914 ± 0.014 baseline" in report
