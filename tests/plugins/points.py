"""The three and the five points on a line, the threshold model, and where it says the answer flips."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.discovery.registry import component

SETS: dict[str, tuple[list[float], list[int]]] = {
    "three_points": ([-0.25, 0, 0.25], [0, 0, 1]),
    "five_points": ([-6, -5, -4, 0, 2], [0, 1, 1, 0, 1]),
}


def points(name: str) -> tuple[Tensor, Tensor]:
    x, y = SETS[name]
    return torch.tensor(x, dtype=torch.float64)[:, None], torch.tensor(y)


def model(**fields: Any) -> nn.Module:
    network: nn.Module = component("model", "threshold", **fields).build(1, 2)
    return network.double()


def threshold(inputs: Tensor, logits: Tensor) -> float:
    return float(component("metric", "decision_threshold")(inputs, logits))
