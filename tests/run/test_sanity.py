"""Remarks on finished runs: seen where something is wrong, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Bench, Ended

PLUGIN = '''
"""A loss that trains nothing, a constant network, a denoiser that does not denoise."""
import torch
from torch import nn
from harness import Denoiser, Loss, Model, hookimpl


class Lazy(Loss):
    """Trains nothing."""

    def __call__(self, logits, target):
        return 0 * logits.sum(-1)


class Constant(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return self.weight.expand(len(x), -1)


class Still(Model):
    """The same logits for every input."""

    def build(self, inputs, outputs):
        return Constant(outputs)


class Useless(Denoiser):
    """Guesses the noise wrongly."""

    wrong: float = 1.0
    shape = (2,)

    def load(self, device):
        return None

    def predict(self, net, x, t):
        kept = self.schedule.alpha_bar(t).to(x)[:, None]
        return (1 - kept).sqrt() * x * (1 - self.wrong) - 3 * self.wrong * x

    def sample(self, net, n, generator):
        return torch.randn(n, 2, generator=generator)


@hookimpl
def components():
    return [Lazy, Still, Useless]
'''


def run(bench: Bench, text: str) -> Ended:
    bench.write("odd.py", PLUGIN)
    ended = bench(bench.write("s.yaml", "plugins: [odd.py]\n" + text), "--json", "-")
    assert ended.code == 0, ended.err
    return ended


ACCURACY = "protocol: accuracy\nvary: {{dataset: {data}, model: {model}, loss: {loss}}}\nmetrics: {metrics}\nseeds: 4\nsettings: {{epochs: {epochs}}}\n"


def issues(bench: Bench, **words: object) -> list[str]:
    text = ACCURACY.format(**{"data": "wine", "model": "mlp", "metrics": "nll", "epochs": 10} | words)
    return [issue for issue in run(bench, text).json["issues"] if "seeds:" not in issue]


@pytest.mark.verify
def test_a_baseline_no_better_than_the_most_frequent_class_is_named(bench: Bench) -> None:
    (found,) = issues(bench, model="still", loss="lazy")
    assert "accuracy" in found and "the most frequent class alone has" in found
    assert issues(bench, loss="cross_entropy") == []
    assert issues(bench, loss="[cross_entropy, lazy]") == []  # without a baseline the best row counts
    text = ACCURACY.format(data="wine", model="mlp", metrics="nll", epochs=10, loss="[cross_entropy, lazy]")
    ended = run(
        bench, text.replace("model: mlp", "model: [still]").replace("epochs: 10", "epochs: 1") + "baseline: lazy\n"
    )
    assert any("lazy" in issue and "most frequent" in issue for issue in ended.json["issues"])


@pytest.mark.verify
def test_one_value_everywhere_and_seeds_that_make_no_difference_are_named(bench: Bench) -> None:
    assert any(
        "distinguishes nothing" in issue
        for issue in issues(bench, model="still", loss="[lazy, {scaled: {loss: lazy}}]")
    )
    found = issues(bench, model="[still, mlp]", loss="lazy")
    assert not any("distinguishes" in issue for issue in found)


GENERATION = "protocol: generation\nvary: {{denoiser: {denoiser}, sampler: [ddim, ddpm]}}\nmetrics: mmd\nseeds: 3\nsettings: {{samples: 50, steps: 4}}\n"


@pytest.mark.parametrize("denoiser", ["useless", "[{gaussian: {dim: 2}}]", "{useless: {wrong: 0.0}}"])
@pytest.mark.verify
def test_a_denoiser_that_guesses_worse_than_the_mean_of_the_data_is_named_once(bench: Bench, denoiser: str) -> None:
    ended = run(bench, GENERATION.format(denoiser=denoiser))
    found = [issue for issue in ended.json["issues"] if "predicts data" in issue]
    assert len(found) == (denoiser == "useless")
    assert all("useless predicts data with the mean squared error" in issue and "ddpm" in issue for issue in found)


@pytest.mark.verify
def test_a_test_part_smaller_than_the_number_of_classes_is_named(bench: Bench, tmp_path: Path) -> None:
    rows = [f"{k / 10},{max(0, k - 26)}" for k in range(39)]
    bench.write("few.csv", "\n".join(["x,target", *rows, ""]))
    text = ACCURACY.format(
        data="{csv: {path: few.csv, target: target}}", model="mlp", loss="cross_entropy", metrics="accuracy", epochs=1
    )
    assert any("test examples for 13 classes" in issue for issue in run(bench, text).json["issues"])
