"""The suites of reverse variances on a pipeline from disk: one line changed, and smaller numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import Skip, component
from tests.conftest import ROOT, Bench
from tests.protocols.test_generation import session

TABLE = ROOT / "suites" / "analytic-dpm-table.yaml"


@pytest.fixture
def pipeline(tmp_path: Path) -> dict[str, str]:
    """A tiny network and images of 256 levels, as fields of the denoiser."""
    pytest.importorskip("diffusers")
    from tests.plugins.denoisers.test_diffusers import saved

    draws = np.random.default_rng(0).integers(0, 256, (64, 1, 8, 8))
    np.save(tmp_path / "images.npy", (draws / 127.5 - 1).astype(np.float32))
    return {"pipeline": saved(tmp_path), "reference": str(tmp_path / "images.npy")}


@pytest.mark.verify
def test_the_table_of_analytic_dpm_takes_a_pipeline_by_one_line(bench: Bench, pipeline: dict[str, str]) -> None:
    """As the head of the suite says; one row of it, with another feature than that of FID, whose weights are not here."""
    said = f"[{{diffusers: {{pipeline: {pipeline['pipeline']}, reference: {pipeline['reference']}}}}}]"
    few = ["settings.steps=[10]", "settings.samples=64", "claims=[]", "published=[]", "vary.feature=random_convolution"]
    words = [word for line in (f"vary.denoiser={said}", *few) for word in ("--set", line)]
    row = ["-k", "even and ddpm and beta_tilde", "--seeds", "1", "--device", "cpu", "--json", "-"]
    ended = bench(TABLE, *words, *row, timeout=300)
    assert ended.code == 0, ended.err
    (cell,) = ended.json["cells"]
    assert cell["metrics"]["bits_per_dim"]["mean"] > 0 and cell["metrics"]["fid_proxy"]["mean"] is not None


@pytest.mark.verify
def test_its_estimates_and_trajectories_work_on_one(pipeline: dict[str, str], tmp_path: Path) -> None:
    measure = {name: component("metric", name) for name in ("bits_per_dim", "fid_proxy")}
    parts: dict[str, Any] = {"denoiser": component("denoiser", "diffusers", **pipeline), "metrics": measure, "steps": 5}
    parts |= {"variance": component("variance", "analytic", estimator="E1", draws=64), "samples": 64}
    run = session(tmp_path, "ddpm", spacing="optimal", **parts)
    assert run.times.tolist()[0] == 100 and run.times.tolist()[-2:] == [1, 0] and len(run.times) == 6
    assert "c by E1 from 64 draws per time" in run.notes[0]
    assert all(values and np.isfinite(values).all() for values in run.measure([0], {}).metrics.values())
    found = session(tmp_path, "ddim", **parts).measure([0], {})
    assert found.metrics["bits_per_dim"] is None and found.skipped["bits_per_dim"].startswith("infinite: under ddim")
    with pytest.raises(Skip, match="no least variance"):
        session(tmp_path, "ddim", spacing="optimal", **parts)
