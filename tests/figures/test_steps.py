"""The figure of a metric that has a value at every step: one line for each contender, which adds up to the metric."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.figures import StoredRun, figures
from harness.figures.style import styled
from harness.results.codec import from_json
from tests.conftest import Bench

SUITE = """
protocol: generation
vary: {denoiser: gaussian, sampler: [ddpm, ddim], variance: [beta, beta_tilde]}
settings: {steps: [5], samples: 64}
seeds: 1
metrics: [step_kl, nfe]
"""


@pytest.mark.verify
def test_every_step_is_there_and_what_has_none_is_left_out(bench: Bench) -> None:
    ended = bench(bench.write("s.yaml", SUITE), "--device", "cpu", "--json", "-")
    assert ended.code == 0, ended.err
    data = ended.json
    made = figures(StoredRun(from_json(data), Path(bench.folder / "results")))
    (name,) = [name for name in made if "by-step" in name]
    with styled():
        (axes,) = made[name]().axes
    lines = {str(line.get_label()): line for line in axes.lines}
    assert set(lines) == {"ddpm / beta", "ddpm / beta_tilde"}
    for cell in data["cells"]:
        if cell["vary"]["sampler"] == "ddpm":
            times, lost = map(np.asarray, lines[f"ddpm / {cell['vary']['variance']}"].get_data())
            assert times.tolist() == [1000, 750, 500, 251]
            assert lost.sum() == pytest.approx(cell["metrics"]["step_kl"]["mean"], rel=1e-5)
        else:
            assert any("infinite" in why for why in cell["skipped"].values())
    assert bench("s.yaml", "--device", "cpu", "--set", "metrics=[nelbo]").code == 0  # the same cells, without curves
    assert name in figures(StoredRun(from_json(data), Path(bench.folder / "results")))
