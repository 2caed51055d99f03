"""Samplers whose samples are equal to rounding are identical in every metric; different ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import harness
from harness.protocols.generation.resolution import resolution
from harness.results import Verdict

METRICS = ["sliced_wasserstein", "energy_distance", "fid_proxy", "precision", "nfe"]


def verdicts(
    path: Path, samplers: list[str], denoiser: str, metrics: list[str]
) -> dict[str, dict[str, Verdict | None]]:
    text = f"""
protocol: generation
vary: {{denoiser: [{denoiser}], sampler: [{", ".join(samplers)}]}}
settings: {{steps: 5, samples: 128}}
seeds: 5
metrics: [{", ".join(metrics)}]
baseline: {samplers[0]}
"""
    (path / "s.yaml").write_text(text)
    found = harness.run(path / "s.yaml", results=path / "results")
    return {
        str(row.vary["sampler"]): {name: entry.verdict for name, entry in row.against.items()} for row in found.rows[1:]
    }


@pytest.mark.parametrize("mean", [0.0, 1.0, -300.0])
@pytest.mark.verify
def test_on_data_of_one_point_all_samplers_are_identical(mean: float, tmp_path: Path) -> None:
    """Each ends at the point, up to rounding: what is left is 1e-7 of the numbers that its last step subtracts."""
    found = verdicts(tmp_path, ["ddim", "ddpm"], f"{{gaussian: {{mean: {mean}, variance: 0.0}}}}", METRICS)
    assert found == {"ddpm": dict.fromkeys(METRICS, Verdict.IDENTICAL)}


def test_one_sampler_derived_in_three_ways_is_identical_and_another_is_not(tmp_path: Path) -> None:
    found = verdicts(tmp_path, ["ddpm", "ddpm_vae", "ddpm_bayes", "dpm_solver_pp"], "ring8", METRICS[:3])
    other = found.pop("dpm_solver_pp")
    assert set(other.values()) == {Verdict.BETTER}
    assert all(set(each.values()) == {Verdict.IDENTICAL} for each in found.values())


class _Source:
    """Samples whose rounding is known: 8 units in the last place of the largest."""

    def __init__(self, x: torch.Tensor) -> None:
        self.samples, self.start_scale = x, 0.0


def test_a_resolution_is_the_change_by_eight_units_in_the_last_place() -> None:
    class Mean(harness.Metric):
        def __call__(self, samples: torch.Tensor, power: int = 1) -> float:
            return float(samples.double().mean() ** self.power)

        power = 1

    class Square(Mean):
        power = 2

    class Steps(harness.Metric):
        def __call__(self, steps: int) -> float:
            return 1.0

    class Draws(harness.Metric):
        def __call__(self, samples: torch.Tensor) -> float:
            return float(torch.rand(()))

    x: Any = torch.full((64, 2), 4.0, dtype=torch.float64)
    moved = 8 * 2.0**-23 * 4
    metrics = {"mean": Mean(), "square": Square(), "steps": Steps(), "draws": Draws()}
    values = {"mean": [4.0], "square": [16.0], "steps": [1.0], "draws": [0.5]}
    state = torch.get_rng_state()
    found = resolution(metrics, _Source(x), values)  # type: ignore[arg-type]
    assert found == pytest.approx({"mean": moved, "square": 8 * moved + moved**2, "draws": 0.0}, rel=1e-6)
    assert torch.equal(torch.get_rng_state(), state)
