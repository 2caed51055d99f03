"""Where sampling starts: shapes, repeatability and laws."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy import stats

from harness import BenchError
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def draw(name: str, *shape: int, seed: int = 0, **fields: Any) -> torch.Tensor:
    prior = REGISTRY.build("prior", {"name": name, **fields})
    found: torch.Tensor = prior.draw(shape, torch.Generator().manual_seed(seed))
    return found


@pytest.mark.parametrize("name", ["normal", "truncated"])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 8, 8)])
def test_draws_are_repeatable_and_in_shape(name: str, shape: tuple[int, ...]) -> None:
    x = draw(name, *shape)
    assert x.shape == shape and x.dtype == torch.float32
    assert torch.equal(x, draw(name, *shape)) and not torch.equal(x, draw(name, *shape, seed=1))


@pytest.mark.parametrize(("name", "fields", "scale"), [("normal", {}, 1.0), ("truncated", {"psi": 0.5}, 0.5)])
def test_the_law_is_normal(name: str, fields: dict[str, float], scale: float) -> None:
    x = draw(name, 20000, **fields).double().numpy()
    assert stats.kstest(x, stats.norm(scale=scale).cdf).pvalue > 1e-3


def test_truncation_shrinks_the_same_draws() -> None:
    x = draw("normal", 6, 4)
    assert torch.equal(draw("truncated", 6, 4, psi=1.0), x)
    torch.testing.assert_close(draw("truncated", 6, 4, psi=0.25), x / 4, rtol=0, atol=0)
    assert not draw("truncated", 6, 4, psi=0.0).any()


def test_psi_is_a_share() -> None:
    with pytest.raises(BenchError, match="psi"):
        draw("truncated", 2, psi=1.5)
