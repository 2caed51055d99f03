"""Artifacts made of artifacts: made once, in their order, shared by every cell that they make no difference to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Bench

FITTING = Path(__file__).parents[1] / "helpers" / "fitting.py"
SUITE = """
protocol: generation
plugins: [fitting.py]
vary:
  denoiser: {denoiser}
  spacing: {spacing}
  variance: {variance}
  sampler: [ddpm]
  feature: [seen]
settings: {{steps: [2, 3], samples: 64}}
seeds: 1
metrics: [fid_proxy]
"""


def run(bench: Bench, variance: str, denoiser: str = "[taught]", spacing: str = "[even]") -> tuple[Any, list[str]]:
    """The result, and what was made, in order."""
    text = SUITE.format(denoiser=denoiser, variance=variance, spacing=spacing)
    (bench.folder / "fitting.py").unlink(missing_ok=True)
    (bench.folder / "fitting.py").symlink_to(FITTING)
    ended = bench(bench.write("s.yaml", text), "--device", "cpu", "--json", "-")
    notes = bench.folder / "made.txt"
    return ended, notes.read_text().split("\n")[:-1] if notes.exists() else []


def test_each_is_made_once_and_after_what_it_is_made_of(bench: Bench) -> None:
    """Two numbers of steps, two factors that the fit does not look at: one training, one fit, one feature."""
    ended, made = run(bench, "[{counted: {factor: [1.0, 2.0]}}]")
    assert ended.code == 0, ended.err
    assert made[0] == "train 1.0" and sorted(made[1:]) == ["fit 1.0 0.25", "prepare 4096"]
    assert all(cell["notes"] == ["fitted 0.25"] for cell in ended.json["cells"])
    assert len(ended.json["cells"]) == 4


def test_what_makes_a_difference_is_made_again(bench: Bench) -> None:
    """A denoiser whose answers differ in a late field shares its training, not what is fitted to it."""
    ended, made = run(bench, "[counted]", "[{taught: {louder: [1.0, 2.0]}}]")
    assert ended.code == 0, ended.err
    assert made.count("train 1.0") == 1 and not made.count("train 2.0")
    assert {"fit 1.0 0.25", "fit 1.0 0.5"} < set(made)


@pytest.mark.verify
def test_the_cost_of_every_step_is_made_once_for_any_number_of_them(bench: Bench) -> None:
    ended, made = run(bench, "[counted]", spacing="[cheap]")
    assert ended.code == 0, ended.err
    first, second = (line for line in made if line.startswith("cost"))
    assert first == second, "two numbers of steps read the same table"
    assert made.count("fit 1.0 0.25") == 1


def test_what_is_lost_skips_what_needs_it(bench: Bench) -> None:
    ended, made = run(bench, "[counted]", "[taught, {taught: {broken: true}}]")
    found = {cell["parameters"]["denoiser"].get("broken", False): cell for cell in ended.json["cells"]}
    assert found[False]["status"] == "ok" and found[True]["status"] == "skipped"
    assert found[True]["reason"].startswith(
        "artifact denoiser taught(broken=true) failed: OSError: the weights are gone"
    )
    assert ended.code == 3 and made.count("fit 1.0 0.25") == 1


def test_a_fit_that_fails_or_is_impossible_is_a_reason(bench: Bench) -> None:
    ended, _ = run(bench, "[{counted: {how: [fail, skip]}}]")
    found = {cell["parameters"]["variance"]["how"]: cell for cell in ended.json["cells"]}
    assert found["fail"]["reason"].startswith("artifact variance counted(how=fail) failed: ValueError: nothing fits")
    assert found["skip"]["reason"] == "variance counted(how=skip): it was asked not to"
    assert {cell["status"] for cell in found.values()} == {"skipped"}
