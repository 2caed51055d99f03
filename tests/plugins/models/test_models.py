"""The stock networks: shapes, sizes, and that training reaches them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from harness.discovery.registry import component

MODELS: list[dict[str, Any]] = [{"name": "linear"}, {"name": "mlp"}, {"name": "mlp", "hidden": 5, "layers": 3}]


def build(spec: dict[str, Any], inputs: int = 4, outputs: int = 3) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = component("model", **spec).build(inputs, outputs)
    return network


@pytest.mark.parametrize("spec", MODELS, ids=str)
def test_a_batch_becomes_logits_and_every_parameter_a_gradient(spec: dict[str, Any]) -> None:
    network = build(spec)
    logits = network(torch.randn(7, 4, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (7, 3)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"name": "linear"}, [(3, 4), (3,)]),
        ({"name": "mlp"}, [(64, 4), (64,), (3, 64), (3,)]),
        ({"name": "mlp", "hidden": 5, "layers": 2}, [(5, 4), (5,), (5, 5), (5,), (3, 5), (3,)]),
    ],
    ids=str,
)
def test_the_layers_have_the_declared_widths(spec: dict[str, Any], expected: list[tuple[int, ...]]) -> None:
    assert [tuple(p.shape) for p in build(spec).parameters()] == expected


def test_linear_is_affine_and_mlp_is_not() -> None:
    x, y = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(1))
    for name, affine in (("linear", True), ("mlp", False)):
        network = build({"name": name})
        assert torch.allclose(network((x + y) / 2), (network(x) + network(y)) / 2, atol=1e-6) is affine


@pytest.mark.parametrize("spec", MODELS, ids=str)
def test_the_weights_come_from_the_global_generator(spec: dict[str, Any]) -> None:
    first, again = (list(build(spec).parameters()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
