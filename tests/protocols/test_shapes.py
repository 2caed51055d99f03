"""Inputs of any shape: standardized, trained and judged as the same numbers in a row are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import CellContext, Examples, Loss, Model
from harness.conformance import check_component
from harness.discovery import sources
from harness.discovery.registry import Registry
from harness.protocols.accuracy.split import split

REGISTRY = Registry(sources.stock())
SHAPES = [(6,), (3, 4), (2, 3, 4), (2, 2, 3, 2)]


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


def table(shape: tuple[int, ...], n: int = 60, **fields: Any) -> Examples:
    draw = torch.Generator().manual_seed(3)
    targets = torch.arange(n) % 3
    inputs = torch.randn(n, *shape, generator=draw) * 3 + targets.view(-1, *[1] * len(shape))
    return Examples(inputs=inputs, targets=targets, classes=3, **fields)


def session(
    folder: Path, data: Examples, model: Any = "mlp", loss: Any = "cross_entropy", trainer: str = "auto"
) -> Any:
    parts = {"model": model, "loss": loss, "trainer": trainer}
    built = {kind: component(kind, part) if isinstance(part, str) else part for kind, part in parts.items()}
    case = CellContext(
        components={"dataset": component("dataset", "iris"), **built},
        build=lambda kind, spec: component(kind, **spec),
        metrics={"nll": component("metric", "nll"), "accuracy": component("metric", "accuracy")},
        tune=None,
        artifacts={"dataset": data},
        split="seed",
        device="cpu",
        folder=folder,
        on_progress=lambda *_: None,
    )
    return component("protocol", "accuracy", epochs=3).setup(case)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_columns_are_standardized_and_of_images_channels(shape: tuple[int, ...]) -> None:
    data = table(shape, standardize=True)
    train = split(data, [0, 1], "seed").train
    found = train.inputs_at(torch.arange(train.index.shape[1]).expand(2, -1))
    assert found.shape == (2, train.index.shape[1], *shape) and train.input_shape == data.input_shape == shape
    over = (1, *range(3, found.ndim)) if len(shape) > 2 else (1,)
    assert torch.allclose(found.mean(over), torch.zeros(()), atol=1e-5)
    assert torch.allclose(found.std(over, unbiased=False), torch.ones(()), atol=1e-4)
    assert torch.equal(train.for_seed(1).inputs, found[1]) and torch.allclose(train.inputs, found[0], atol=1e-6)


def test_a_missing_number_of_an_image_becomes_the_mean_of_its_channel() -> None:
    data = table((2, 3, 4), missing=True)
    data.inputs[:, 0, 1, 1] = torch.nan
    data.inputs[::2, 1, 0, 0] = torch.nan
    train = split(data, [0], "seed").train
    raw = data.inputs[train.index[0]].double()
    assert torch.allclose(train.inputs[:, 0, 1, 1].double(), raw[:, 0].nanmean().expand(len(raw)))
    assert not train.inputs.isnan().any()


@pytest.mark.parametrize("trainer", ["stacked", "loop"])
@pytest.mark.parametrize("model", ["linear", "mlp"])
@pytest.mark.parametrize("standardize", [False, True])
def test_flattened_inputs_are_trained_alike(tmp_path: Path, trainer: str, model: str, standardize: bool) -> None:
    data = table((3, 4), standardize=standardize)
    flat = Examples(inputs=data.inputs.flatten(1), targets=data.targets, classes=3, standardize=standardize)
    seeds = range(32) if trainer == "stacked" else [4]
    one, other = (session(tmp_path, each, model, trainer=trainer).measure(seeds, {}) for each in (data, flat))
    assert one.metrics == other.metrics


def test_items_of_groups_have_any_shape(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 3, (30, 4), generator=draw)
    inputs = torch.randn(30, 4, 2, 3, 3, generator=draw) + targets[..., None, None, None]
    data = Examples(inputs=inputs, targets=targets, classes=3, task="grouped", standardize=True)
    assert data.input_shape == split(data, [0], "seed").test.input_shape == (2, 3, 3)
    flat = Examples(inputs=inputs.flatten(2), targets=targets, classes=3, task="grouped")
    assert split(flat, [0], "seed").test.input_shape == (18,)
    soft = Examples(inputs=inputs, targets=F.one_hot(targets).float(), classes=3, task="grouped")
    assert split(soft, [0], "seed").test.input_shape == (2, 3, 3)
    for trainer, seeds in (("stacked", range(32)), ("loop", [0])):
        found = session(tmp_path, data, loss="grouped_cross_entropy", trainer=trainer).measure(seeds, {})
        assert 0 < found.metrics["nll"][0] < 2


class Net(nn.Module):
    """A small convolutional network."""

    def __init__(self, in_channels: int = 3, num_classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.head = nn.Linear(4, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))  # type: ignore[no-any-return]


class ByNames(Model):
    """A plugin whose sizes have names of their own."""

    def build(self, in_channels: int, num_classes: int) -> nn.Module:
        """The network."""
        return Net(in_channels, num_classes)


class ByShape(Model):
    """A plugin that takes the shape."""

    def build(self, inputs: Any, outputs: int) -> nn.Module:
        """The network."""
        channels, _, _ = inputs
        return Net(channels, outputs)


class Wide(Model):
    """A plugin with too many outputs."""

    def build(self, inputs: Any, outputs: int) -> nn.Module:
        """The network."""
        return Net(inputs[0], 10)


class Features(Loss):
    """Cross-entropy and the size of the features."""

    def __call__(self, logits: Tensor, target: Tensor, features: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none") + features.square().mean(1)


@pytest.mark.parametrize("model", [ByNames(), ByShape()], ids=["names", "shape"])
@pytest.mark.parametrize("loss", ["cross_entropy", Features()], ids=["plain", "features"])
def test_a_small_convolutional_network_is_trained_in_a_stack_as_by_itself(
    tmp_path: Path, model: Model, loss: Any
) -> None:
    opened = session(tmp_path, table((2, 5, 5), standardize=True), model, loss)
    assert opened.block_size == 32
    assert opened.notes == ["trainer stacked: all seeds of a block are trained at once"]
    found = opened.measure(range(32), {}).metrics["nll"]
    alone = session(tmp_path, table((2, 5, 5), standardize=True), model, loss, trainer="loop")
    for seed in (0, 31):
        assert found[seed] == pytest.approx(alone.measure([seed], {}).metrics["nll"][0], rel=1e-4)


def test_outputs_and_inputs_are_checked_before_training(tmp_path: Path) -> None:
    with pytest.raises(
        Exception, match=r"Wide\.build built a network that returns 10 outputs for 3 classes, expected 3"
    ):
        session(tmp_path, table((2, 5, 5)), Wide())
    with pytest.raises(
        Exception, match=r"test_shapes\.py:\d+: ByShape\.build failed on inputs=6: TypeError: cannot unpack"
    ):
        session(tmp_path, table((6,)), ByShape())
    with pytest.raises(Exception, match=r"ByNames\.build built a network that fails on \[\d+, 3, 4\]: RuntimeError"):
        session(tmp_path, table((3, 4)), ByNames())


@pytest.mark.parametrize("model", [ByNames(), ByShape()], ids=["names", "shape"])
def test_conformance_checks_find_images_for_a_network_that_takes_only_these(model: Model) -> None:
    found = check_component(model)
    assert [verdict.says for verdict in found if verdict.passed is False] == []
    assert any("3 x 32 x 32" in verdict.says for verdict in found)
