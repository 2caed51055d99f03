"""The suites of reverse variances on a pipeline from disk: one line changed, and smaller numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, Bench


def test_the_table_of_analytic_dpm_on_a_saved_pipeline(bench: Bench, tmp_path: Path) -> None:
    """As the suite's head says, with another feature than that of FID, whose weights are not here, and few steps."""
    pytest.importorskip("diffusers")
    from tests.plugins.test_diffusers_denoiser import saved

    saved(tmp_path)
    draws = np.random.default_rng(0).integers(0, 256, (64, 1, 8, 8))
    np.save(tmp_path / "images.npy", (draws / 127.5 - 1).astype(np.float32))
    suite = bench.write(
        "table.yaml", (ROOT / "suites" / "analytic-dpm-table.yaml").read_text().partition("published:")[0]
    )
    ended = bench(
        suite, "--device", "cpu", "--json", "-", "--seeds", "2",
        "--set", "vary.denoiser=[{diffusers: {pipeline: pipe, reference: images.npy}}]",
        "--set", "vary.feature=random_convolution",
        "--set", "vary.variance=[beta_tilde, beta, {analytic: {estimator: E1, draws: 64}, as: analytic}]",
        "--set", "settings.steps=[10]", "--set", "settings.samples=64", "--set", "claims=[]",
        timeout=300,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    found = {(c["vary"]["grid"], c["vary"]["sampler"], c["vary"]["variance"]): c for c in ended.json["cells"]}
    for variance in ("beta_tilde", "beta", "analytic"):
        cell = found["even", "ddpm", variance]
        assert cell["status"] == "ok" and cell["metrics"]["bits_per_dim"]["mean"] > 0
        assert cell["metrics"]["fid_proxy"]["mean"] is not None
        infinite = found["even", "ddim", variance]
        assert "bits_per_dim" not in infinite["metrics"]
        assert any(note.startswith("bits_per_dim: infinite: under ddim") for note in infinite["notes"])
        assert found["optimal", "ddim", variance]["status"] == "skipped"
    assert found["optimal", "ddpm", "analytic"]["status"] == "ok"
    assert any("c by E1 from 64 draws a time" in note for note in found["even", "ddpm", "analytic"]["notes"])
