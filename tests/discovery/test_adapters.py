"""Model factories of other libraries: sizes go to the arguments that are named for them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from harness.discovery.networks import called, sizes_by_name
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
def net(in_channels: int = 3, out_channels: int = 64, num_classes: int = 10) -> None: ...
def vit(img_size: int = 224, in_chans: int = 3, num_classes: int = 10, depth: int = 2) -> None: ...
def shaped(input_shape: tuple[int, ...], n_classes: int) -> None: ...
def hidden(in_channels: int, num_features: int, n_classes: int) -> None: ...


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
        (net, {"in_channels": "inputs", "num_classes": "outputs"}),
        (vit, {"img_size": "image", "in_chans": "inputs", "num_classes": "outputs"}),
        (shaped, {"input_shape": "inputs", "n_classes": "outputs"}),
        (hidden, {"in_channels": "inputs", "n_classes": "outputs"}),
    ],
)
def test_arguments_are_known_by_their_names(factory: Callable[..., Any], sizes: dict[str, str]) -> None:
    assert sizes_by_name(factory) == sizes


def library(module: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A factory as libraries write it, whose sizes go on to the class it makes."""
    function.__module__ = module
    return function


def told(**given: Any) -> dict[str, Any]:
    return given


def by_place(a: Any, b: Any) -> list[Any]:
    return [a, b]


def by_number(in_features: int, n_classes: int) -> list[Any]:
    return [in_features, n_classes]


def by_channels(in_channels: int, n_classes: int, img_size: Any = None) -> list[Any]:
    return [in_channels, n_classes, img_size]


def by_shape(input_shape: Any, n_classes: int) -> list[Any]:
    return [input_shape, n_classes]


@pytest.mark.parametrize(
    ("factory", "inputs", "given"),
    [
        (by_place, 5, [5, 4]),
        (by_place, (3, 8, 8), [(3, 8, 8), 4]),
        (by_number, 5, [5, 4]),
        (by_number, (3, 8, 8), [192, 4]),
        (by_channels, 5, [5, 4, None]),
        (by_channels, (3, 8), [3, 4, None]),
        (by_channels, (3, 8, 8), [3, 4, 8]),
        (by_channels, (3, 8, 6), [3, 4, (8, 6)]),
        (by_shape, 5, [(5,), 4]),
        (by_shape, (3, 8), [(3, 8), 4]),
    ],
)
def test_what_an_argument_gets_depends_on_its_name(factory: Callable[..., Any], inputs: Any, given: list[Any]) -> None:
    assert called(factory, inputs, 4) == given


def test_factories_of_libraries_get_sizes_among_their_keywords() -> None:
    made = called(library("timm.models.resnet", lambda pretrained=False, **more: told(**more)), (3, 8, 8), 4)
    assert made == {"num_classes": 4, "in_chans": 3}
    made = called(library("torchvision.models.resnet", lambda *, weights=None, **more: told(**more)), (3, 8, 8), 4)
    assert made == {"num_classes": 4}


@pytest.mark.verify
@pytest.mark.parametrize("path", ["timm:create_model", "torchvision.models:resnet18"])
def test_models_of_libraries_by_import_path(bench: Bench, path: str) -> None:
    name = path.partition(".")[0].partition(":")[0]
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError) as error:  # torchvision is compiled for one version of torch
        pytest.skip(f"{name} cannot be imported: {error}")
    model = f"{{'{path}': {{model_name: resnet10t}}}}" if name == "timm" else f"'{path}'"
    bench.write(
        "make.py", "import numpy; numpy.savez('x.npz', x=numpy.random.rand(60, 3, 32, 32), y=numpy.arange(60) % 3)"
    )
    subprocess.run([sys.executable, "make.py"], cwd=bench.folder, check=True)
    suite = bench.write("s.yaml", "protocol: accuracy\nmetrics: accuracy\nseeds: 1\nsettings: {epochs: 1}\n"
                        f"vary: {{dataset: {{npz: {{path: x.npz}}}}, loss: cross_entropy, model: [{model}]}}\n")  # fmt: skip
    ended = bench(suite, "--json", "-", timeout=300)
    assert [cell["status"] for cell in ended.json["cells"]] == ["ok"], ended.json["cells"][0]["reason"]


def test_a_network_is_no_factory(bench: Bench) -> None:
    bench.write("nets.py", "from torch import nn\nbody = nn.Linear(4, 3)\n")
    bench.write(
        "s.yaml", "protocol: accuracy\nmetrics: accuracy\nvary: {dataset: iris, loss: hinge, model: ['nets:body']}\n"
    )
    ended = bench("validate", "s.yaml")
    assert ended.code == 2
    assert ended.lines[0] == (
        "s.yaml:3:44: nets:body is a network: name the class or the function that makes it, a new one for every seed"
    )


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
