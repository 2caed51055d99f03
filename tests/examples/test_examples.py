"""The examples of `bench info KIND`: one of every kind, correct, and measured in suites that use all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.kinds import KINDS
from tests.conftest import Bench

FOLDER = Path(__file__).resolve().parents[2] / "harness" / "examples"

ACCURACY = """
protocol: accuracy
vary:
  dataset: moons
  model: one_hidden_layer
  loss: [cross_entropy, tempered, {tempered: {temperature: 2}}, {nll: {transform: scaled_softmax}}]
  trainer: gradient_descent
metrics: [accuracy, nll]
seeds: 3
"""

GENERATION = """
protocol: generation
vary:
  denoiser: [normal, {gaussian: {dim: 2, schedule: rational}}]
  sampler: [ddim, plain_ddim, ddpm]
  variance: mean_squared_error
  prior: scaled
  spacing: geometric
  feature: standardized
settings: {samples: 200, steps: 8}
metrics: fid_proxy
seeds: 2
"""

HUBNESS = """
protocol: hubness
vary: {dataset: moons, dissimilarity: [euclidean, saturating]}
settings: {n: 100}
metrics: robin_hood
seeds: 3
"""

PROTOCOL = """
protocol: at_random
vary: {transform: [softmax, scaled_softmax]}
metrics: [brier]
seeds: 4
"""


@pytest.fixture(scope="module")
def folder(shared: Callable[[str], Bench]) -> Bench:
    return shared("examples")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_shown_with_its_example(kind: str, folder: Bench) -> None:
    shown = folder("info", kind)
    assert shown.code == 0
    for line in filter(str.strip, (FOLDER / f"{kind}.py").read_text().splitlines()):
        assert f"  {line}" in shown.out


@pytest.mark.verify
@pytest.mark.parametrize("kind", KINDS)
def test_an_example_passes_its_checks(kind: str, folder: Bench) -> None:
    checked = folder("check", str(FOLDER / f"{kind}.py"))
    assert checked.code == 0, checked.out + checked.err


@pytest.mark.verify
@pytest.mark.parametrize("suite", [ACCURACY, GENERATION, HUBNESS, PROTOCOL], ids=lambda text: text.split()[1])
def test_examples_are_measured(suite: str, folder: Bench) -> None:
    folder.write("s.yaml", suite)
    plugins = [word for kind in KINDS for word in ("--plugin", str(FOLDER / f"{kind}.py"))]
    done = folder("s.yaml", *plugins, "--json", "-")
    assert done.code == 0, done.out + done.err
    assert all(cell["status"] == "ok" for cell in done.json["cells"])
