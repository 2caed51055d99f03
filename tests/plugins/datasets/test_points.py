"""Data sets of points: clouds, and patches of photographs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images

from harness import Examples
from harness.artifacts import check
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


def load(name: str, seed: int = 0, **fields: object) -> Examples:
    data: Examples = component("dataset", name, **fields).load(torch.Generator().manual_seed(seed))
    check(data)
    return data


@pytest.mark.parametrize("prior", ["normal", "uniform", "truncated"])
def test_a_cloud_is_the_draw_of_a_prior(prior: str) -> None:
    law = component("prior", prior)
    data = load("cloud", seed=4, prior=law, dim=7, examples=50)
    assert torch.equal(data.inputs, law.draw((50, 7), torch.Generator().manual_seed(4)))
    assert torch.equal(data.targets, (data.inputs[:, 0] > 0).long()) and data.classes == 2
    assert not torch.equal(data.inputs, load("cloud", seed=5, prior=law, dim=7, examples=50).inputs)


@pytest.mark.parametrize(("size", "rows"), [(8, 8480), (16, 2080)])
def test_patches_cover_the_photographs(size: int, rows: int) -> None:
    data, images = load("patches", size=size), load_sample_images().images
    assert data.inputs.shape == (rows, 3 * size * size) and data.classes == 2
    assert data.targets.bincount().tolist() == [rows // 2, rows // 2]
    across = 640 // size
    for row in (0, across + 3, rows // 2 + 2 * across + 1):
        image, place = divmod(row, rows // 2)
        down, right = divmod(place, across)
        patch = images[image][size * down : size * (down + 1), size * right : size * (right + 1)]
        np.testing.assert_allclose(data.inputs[row].view(3, size, size).permute(1, 2, 0) * 255, patch, atol=1e-4)
