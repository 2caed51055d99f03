"""Model factories of other libraries: sizes go to the arguments that are named for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from harness.discovery.networks import sizes_by_name
from tests.conftest import Bench

NETS = """
from torch import nn


class FlatResNet(nn.Module):
    def __init__(self, num_classes=4, width=8):
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(width), nn.ReLU(), nn.Linear(width, num_classes))

    def forward(self, x):
        return self.layers(x)


def backward(width=8, *, n_classes, in_features):
    return nn.Sequential(nn.Linear(in_features, width), nn.Linear(width, n_classes))


def ignores(num_classes=4):
    return nn.LazyLinear(7)
"""


def placed(a: int, b: int, width: int = 8) -> None: ...
def by_class(num_classes: int = 4, width: int = 8) -> None: ...
def both(width: int, in_channels: int, num_classes: int) -> None: ...
def first_alone(in_features: int, hidden: int) -> None: ...
def twice(in_dim: int, in_features: int, out_dim: int) -> None: ...
def only(in_dim: int, /, out_dim: int) -> None: ...
def anything(*args: int, **more: int) -> None: ...


@pytest.mark.parametrize(
    ("factory", "sizes"),
    [
        (placed, {}),
        (by_class, {"num_classes": "outputs"}),
        (both, {"in_channels": "inputs", "num_classes": "outputs"}),
        (first_alone, {}),
        (twice, {"in_dim": "inputs", "out_dim": "outputs"}),
        (only, {}),
        (anything, {}),
        (nn.Linear, {"in_features": "inputs", "out_features": "outputs"}),
        (nn.Bilinear, {"out_features": "outputs"}),
        (torch.add, {}),
    ],
)
def test_arguments_are_known_by_their_names(factory: Callable[..., Any], sizes: dict[str, str]) -> None:
    assert sizes_by_name(factory) == sizes


@pytest.mark.verify
def test_a_network_gets_the_classes_by_name_and_one_of_another_width_fails(bench: Bench) -> None:
    bench.write("nets.py", NETS)
    suite = bench.write(
        "s.yaml",
        "protocol: accuracy\nmetrics: accuracy\nseeds: 2\nsettings: {epochs: 2}\ntrainer: loop\n"
        "vary: {dataset: iris, loss: cross_entropy, model: ['nets:FlatResNet', {'nets:FlatResNet': {width: 4}}, 'nets:backward', 'nets:ignores']}\n",
    )
    ended = bench(suite, "--json", "-", env={"PYTHONPATH": f"{bench.environment['PYTHONPATH']}:{bench.folder}"})
    cells = ended.json["cells"]
    assert [cell["status"] for cell in cells] == ["ok", "ok", "ok", "failed"], [cell["reason"] for cell in cells]
    assert "7 outputs for 3 classes" in cells[3]["reason"]
