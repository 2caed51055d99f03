"""Controls that leave a metric's floor make it doubtful; controls that sit on it do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

import harness
import harness.analysis
from harness.analysis.exit_status import exit_code
from harness.report import render
from tests.helpers.analysis import analyse, measured

SEEDS = list(range(6))


def run(control: list[float], other: list[float], floor: float | None = 0.0) -> dict[str, Any]:
    def cell(sampler: str, values: list[float]) -> dict[str, Any]:
        about = {"id": sampler, "vary": {"denoiser": "ring", "sampler": sampler}, "status": "ok", "reason": None}
        cost = {"seconds": 1.0, "peak_memory": 1, "seeds": SEEDS[: len(values)], "units": [], "notes": [], "tuned": {}}
        return about | cost | {"metrics": {"distance": values}, "parameters": {"sampler": {"name": sampler}}}

    metric = {"label": "distance", "higher_is_better": False, "unit": None, "ideal": floor}
    about = {"suite": "s", "question": "?", "run": "r", "protocol": "generation", "environment": {}}
    plan = {"baseline": None, "group_by": None, "contenders": ["sampler"], "margin": None, "interval": "seeds"}
    axes = {"denoiser": ["ring"], "sampler": ["iid", "mine"]}
    cells = [cell("iid", control), cell("mine", other)]
    return {**about, **plan, "metrics": [metric], "axes": axes, "cells": cells, "controls": [["sampler", "iid"]]}


def doubted(data: dict[str, Any]) -> list[str]:
    return [line for line in analyse(data)["issues"] if "not to be trusted" in line]


AT_ZERO = [-0.2, 0.1, 0.3, -0.1, 0.05, -0.12]
ABOVE = [1.0, 1.1, 0.9, 1.05, 0.95, 1.02]


def test_a_control_off_the_floor_is_told_with_its_numbers() -> None:
    (line,) = doubted(run(ABOVE, ABOVE))
    assert "distance" in line and "control iid has 1" in line and "perfect sampler has 0" in line
    assert "adjusted p < 0.001" in line and stats.ttest_1samp(ABOVE, 0).pvalue < 1e-3


@pytest.mark.parametrize(
    "data",
    [run(AT_ZERO, ABOVE), run(ABOVE, AT_ZERO, floor=None), run(ABOVE, AT_ZERO, floor=1.0), run([1.0], [1.0])],
    ids=["on the floor", "no floor", "another floor", "one seed"],
)
def test_other_rows_and_metrics_are_not_doubted(data: dict[str, Any]) -> None:
    assert not doubted(data)


def test_controls_on_the_floor_are_rarely_doubted() -> None:
    rng = np.random.default_rng(0)
    false = sum(bool(doubted(run(rng.normal(size=6).tolist(), ABOVE))) for _ in range(200))
    assert false <= stats.binom.ppf(0.999, 200, 0.05)


def compared(control_values: list[float], **more: Any) -> dict[str, Any]:
    data = run(control_values, ABOVE)
    base = {**data["cells"][1], "id": "old", "vary": {"denoiser": "ring", "sampler": "old"}, "parameters": {}}
    base["metrics"] = {"distance": (np.array(ABOVE) + np.array(AT_ZERO)).tolist()}
    data["axes"]["sampler"].append("old")
    return analyse({**data, "cells": [*data["cells"], base], "baseline": "old", **more})


def test_a_control_stands_beside_the_family_and_is_neither_tested_nor_ranked() -> None:
    found = compared(AT_ZERO)
    control, mine = (cell["against"]["distance"] for cell in found["cells"][:2])
    assert mine["family"] == 1 and mine["p_holm"] == mine["p"]
    assert control["difference"] is not None and control["low"] is not None
    assert (control["p"], control["p_holm"], control["verdict"]) == (None, None, None)
    assert control["needed"] == {"seeds": None, "examples": None}
    assert found["cells"][0]["best"] == {} and found["cells"][1]["best"] != {}
    assert "iid" not in found["answer"] and not [each for each in found["statements"] if each["row"] == "iid"]


def test_the_same_rows_without_the_declaration_are_a_family_of_two() -> None:
    found = compared(AT_ZERO, controls=[])
    assert {cell["against"]["distance"]["family"] for cell in found["cells"][:2]} == {2}
    assert found["cells"][0]["best"] == {"distance": "best"}


def test_a_control_has_no_comparing_gate_and_is_not_undecided() -> None:
    gates = [{"metric": "distance", "rule": rule, "bound": 0.5} for rule in ("non_inferior_by", "max")]
    found = compared(AT_ZERO, gates=gates)
    assert [(g["rule"], g["vary"]["sampler"]) for g in found["gates"]] == [
        ("non_inferior_by", "mine"), ("max", "iid"), ("max", "mine"), ("max", "old"),
    ]  # fmt: skip
    run_ = harness.analysis.analyse(measured({**run(AT_ZERO, ABOVE), "baseline": "mine"}))
    assert exit_code(run_, ["undecided"]) == 0 and "control" in render(run_, "console")
    assert "more seed" not in render(run_, "console")


def test_any_component_can_declare_itself_a_control(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import harness\n\n"
        "class Flat(harness.Transform):\n"
        '    """Equal probabilities."""\n\n'
        "    is_control = True\n\n"
        "    def __call__(self, logits):\n"
        "        import torch\n\n"
        "        return torch.ones_like(logits) / logits.shape[-1]\n\n"
        "@harness.hookimpl\n"
        "def components():\n    return [Flat]\n"
    )
    (tmp_path / "s.yaml").write_text(
        "protocol: transform\nplugins: [mine.py]\nvary: {transform: [softmax, sparsemax, flat]}\n"
        "settings: {batch: 32, n: 5}\nseeds: 3\nmetrics: [normalization_error, monotonicity_violation]\nbaseline: softmax\n"
    )
    found = harness.run(tmp_path / "s.yaml", results=tmp_path / "r")
    assert ("transform", "flat") in found.run.controls
    assert "flat" not in found.answer


def test_comparisons_that_are_counted_in_advance_are_those_of_contenders(tmp_path: Path) -> None:
    """Three seeds and 3 contenders on 4 problems: 12; the quantile is that of scipy."""
    (tmp_path / "s.yaml").write_text(
        "protocol: generation\nseeds: 3\nbaseline: ddpm\nmetrics: [sliced_wasserstein]\n"
        "vary: {denoiser: [ring8, gaussian], sampler: [ddpm, ddim, pndm, dpm_solver_pp, iid, exact_kernel]}\n"
        "settings: {steps: [5, 10], samples: 64}\n"
    )
    for select in ((), ("-k", "ring8")):
        command = [sys.executable, "-P", "-m", "harness", "validate", str(tmp_path / "s.yaml"), *select]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
        only = f"{stats.t.isf(0.025 / 12, 2):.3g}"
        assert f"3 seeds and 12 comparisons: only a difference of {only} standard errors" in ended.stdout, ended
