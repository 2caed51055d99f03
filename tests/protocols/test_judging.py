"""The loop over metrics: reasons of those that skip, and what others warn of, by label."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from harness import Metric, Skip, component
from harness.protocols.judging import judged


class Warns(Metric):
    """Warns, and has a value."""

    def __call__(self, number: float) -> float:
        warnings.warn("few numbers", stacklevel=1)
        torch.tensor(True).float().numpy().astype("complex").astype("float64")  # numpy warns too, of something else
        return number


class Skips(Metric):
    """Warns, and has none."""

    def __call__(self, number: float) -> float:
        warnings.warn("never seen", stacklevel=1)
        raise Skip("no number")


def test_warnings_and_reasons_are_kept_by_label() -> None:
    values, said = judged({"a": Warns(), "b": Skips()}, SimpleNamespace(number=2.0), ["number"])
    assert values == {"a": [2.0], "b": None} and said == {"a": "few numbers", "b": "no number"}


@pytest.mark.parametrize(("n", "d", "warns"), [(32, 64, True), (64, 64, False), (200, 3, False)])
def test_fewer_samples_than_features_are_warned_of(n: int, d: int, warns: bool) -> None:
    draws: Tensor = torch.randn(2, n, d, generator=torch.Generator().manual_seed(0))
    source = SimpleNamespace(features=draws[0], reference_features=draws[1], moments=None)
    _, said = judged(
        {"fid_proxy": component("metric", "fid_proxy")}, source, ["features", "reference_features", "moments"]
    )
    assert bool(said) == warns and all(f"{n} samples of {d} features" in text for text in said.values())
