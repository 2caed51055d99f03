"""The sentences around the tables."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.report import render
from harness.report.answer import answer
from harness.results import IntervalKind, MeasuredRow, MeasuredRun, MetricInfo, Reason, ReasonKind, Status

from .factory import LONG, LOSSES, METRICS, on_rows, result, with_comparison, with_metric
from .reading import spaced


def test_header_and_legend_say_what_was_done() -> None:
    report = spaced(render(result(), "console", 200))
    for part in ("losses-on-digits", "Does any loss beat cross-entropy?", "2 seeds", "2 problems × 5 contenders"):
        assert part in report
    for part in ("accuracy · mlp · 2 seeds · ", "torch 2.13.0", "30.0 s", "Holm for 8 comparisons"):
        assert part in report
    assert "95 % intervals over seeds and test examples" in report
    assert "▲ better" in report and "☆ tied with the best" in report


def test_legend_explains_only_what_occurs() -> None:
    data = on_rows(
        result(METRICS[:1], LOSSES[:1]),
        lambda each: replace(with_metric(each, "accuracy", interval=IntervalKind.SEEDS), best={}),
    )
    report = render(data, "console", 120)
    assert "95 % intervals over seeds\n" in report
    for absent in ("★", "☆", "▲", "▼", "Holm", "↓"):
        assert absent not in report


def test_every_undecided_row_says_what_would_decide() -> None:
    data = result(losses=(*LOSSES, "a", "b", "c", "last"))
    assert re.search(r"in both problems: .*; undecided: (last, focal|focal, last)\.$", answer(data))
    assert "; undecided: focal (about 40 more seeds), last." in answer(result(losses=data.axes["loss"], count=1))  # type: ignore[arg-type]
    report = spaced(render(data, "console", 120))
    assert "focal, last on digits: about 40 more seeds" in report
    assert "focal, last on digits(label_noise=0.1): about 41 more seeds" in report


def test_the_form_the_analysis_gives() -> None:
    from harness.analysis import analyse

    values = {"cross_entropy": (0.90, 0.91, 0.92, 0.93, 0.91), "focal": (0.95, 0.955, 0.97, 0.975, 0.962)}
    lost = {"status": Status.OOM, "why": Reason(ReasonKind.SAID, text="asked for 9 GiB")}
    rows = [
        *(
            MeasuredRow(id=x, vary={"loss": x}, seeds=tuple(range(5)), values={"accuracy": v})
            for x, v in values.items()
        ),
        MeasuredRow(id=LONG, vary={"loss": LONG}, **lost),  # type: ignore[arg-type]
    ]
    run = MeasuredRun(
        suite="s",
        question="?",
        run="r",
        protocol="accuracy",
        metrics=(MetricInfo(label="accuracy", higher_is_better=True),),
        axes={"loss": ["cross_entropy", "focal", LONG]},
        contenders=("loss",),
        baseline="cross_entropy",
        interval="seeds",
        cells=tuple(rows),
    )
    report = spaced(render(analyse(run), "console", 120))  # by hand: the mean ± t(0.975, 4) times the standard error
    assert re.search(r"focal ★ 0\.962 ± 0\.013 \+0\.0484 ± 0\.0040 ▲ better <0\.001", report)
    assert "✗ oom: asked for 9 GiB" in report and "cross_entropy 0.914 ± 0.014 baseline" in report


def test_what_rounding_leaves_of_no_difference_is_0_in_the_answer() -> None:
    same = {"difference": -1.4e-17, "low": -0.02, "high": 0.02}
    whole = on_rows(result(count=1), lambda cell: with_comparison(cell, "accuracy", **same), 1)
    assert "hinge +0.000 (-0.020 to 0.020)" in answer(whole) and "e-17" not in answer(whole)


def test_the_epoch_that_early_stopping_kept_is_told() -> None:
    data = on_rows(result(), lambda each: replace(each, used={"epochs": 12.5}, settings={"epochs": 30}))
    assert "early stopping kept epoch 12.5 of 30, as a mean over seeds" in spaced(render(data, "console", 200))
    assert "early stopping" not in spaced(render(result(), "console", 200))
