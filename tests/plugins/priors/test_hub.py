"""Hubs to start from, and the truncation that is as near to the mean."""

from __future__ import annotations

from typing import Any

import pytest
import sklearn.neighbors
import torch
from scipy import stats
from torch import Tensor

from harness import BenchError, Prior, call_with_inputs
from harness.discovery.registry import Registry
from harness.discovery.sources import stock

REGISTRY = Registry(stock())


def component(kind: str, name: str, **fields: Any) -> Any:
    return REGISTRY.build(kind, {"name": name, **fields})


def draw(name: str, *shape: int, seed: int = 0, **fields: Any) -> Tensor:
    prior = component("prior", name, **fields)
    found: Tensor = call_with_inputs(prior.draw, shape, torch.Generator().manual_seed(seed))
    return found


SMALL = {"batch": 500, "threshold": 20}


@pytest.mark.parametrize("shape", [(5, 40), (60, 2, 4, 5), (0, 40)])
def test_draws_are_repeatable_and_in_shape(shape: tuple[int, ...]) -> None:
    x = draw("hub", *shape, **SMALL)
    assert x.shape == shape and x.dtype == torch.float32
    assert torch.equal(x, draw("hub", *shape, **SMALL))
    assert not len(x) or not torch.equal(x, draw("hub", *shape, seed=1, **SMALL))


def test_those_are_kept_whom_many_have_for_a_neighbor() -> None:
    """Batch after batch, counted by scikit-learn, the point itself left out."""
    generator, kept = torch.Generator().manual_seed(3), []
    for _ in range(3):
        x = torch.randn(500, 40, generator=generator)
        index = sklearn.neighbors.NearestNeighbors(n_neighbors=5, algorithm="brute").fit(x.numpy()).kneighbors()[1]
        kept.append(x[torch.from_numpy(index).flatten().bincount(minlength=500) >= 20])
    expected = torch.cat(kept)
    assert len(expected) > len(kept[0]) > 0
    assert torch.equal(draw("hub", len(expected), 40, seed=3, **SMALL), expected)
    assert torch.equal(draw("hub", 2, 40, seed=3, **SMALL), expected[:2]), "fewer are the first ones"


def test_antihubs_are_those_whom_few_have_for_a_neighbor() -> None:
    """Batch after batch, counted by scikit-learn, the point itself left out."""
    for most in (0, 2):
        x = torch.randn(500, 40, generator=torch.Generator().manual_seed(3))
        index = sklearn.neighbors.NearestNeighbors(n_neighbors=5, algorithm="brute").fit(x.numpy()).kneighbors()[1]
        expected = x[torch.from_numpy(index).flatten().bincount(minlength=500) <= most]
        assert len(expected) > 50
        assert torch.equal(draw("anti_hub", len(expected), 40, seed=3, batch=500, most=most), expected)
    assert draw("anti_hub", 400, 40, batch=500).norm(dim=1).mean() > 40**0.5 + 0.2


def test_where_there_are_no_antihubs_it_says_so() -> None:
    with pytest.raises(BenchError, match=r"of 30 points in 2 dimensions every one is a neighbor of 5 others or more"):
        draw("anti_hub", 3, 2, batch=6)


def test_the_published_choice_keeps_what_it_kept_there() -> None:
    """184 of 10,000 draws of 512 numbers, with a mean norm of 20.90, of another generator."""
    reports: list[tuple[int, int]] = []
    prior, generator = component("prior", "hub"), torch.Generator().manual_seed(0)
    x = prior.draw((150, 512), generator, on_progress=lambda done, total: reports.append((done, total)))
    assert x.norm(dim=1).mean().item() == pytest.approx(20.90, abs=0.15)
    kept = reports[0][0]
    assert 130 < kept < 260 and reports[0][1] == 150


def test_where_there_are_no_hubs_it_says_so() -> None:
    with pytest.raises(
        BenchError, match=r"hub\(batch=500\) keeps no points: of 2,500 points in 2 dimensions .* of 1\d; lower"
    ):
        draw("hub", 3, 2, batch=500)
    with pytest.raises(BenchError, match="5 nearest neighbors need 6 points or more"):
        draw("hub", 3, 2, batch=4)


def test_truncation_to_the_same_mean_norm() -> None:
    hubs = draw("hub", 200, 40, seed=7, **SMALL)
    inner = component("prior", "hub", **SMALL)
    x, plain = draw("truncated_like", 200, 40, prior=inner), draw("normal", 200, 40)
    factor = x / plain
    assert factor.std() < 1e-6 and 0.5 < factor.mean() < 0.95
    assert x.norm(dim=1).mean().item() == pytest.approx(hubs.norm(dim=1).mean().item(), rel=0.02)


class Fixed(Prior):
    """Threes."""

    def draw(self, shape: Any, generator: torch.Generator) -> Tensor:
        """Of that shape."""
        return torch.full(tuple(shape), 3.0)


def test_the_other_may_be_any_prior_and_the_norm_is_exactly_its_own() -> None:
    x = draw("truncated_like", 50, 2, 8, prior=Fixed())
    assert x.flatten(1).norm(dim=1).mean().item() == pytest.approx(12.0, rel=1e-6)


def test_norms_of_another_prior_in_random_directions() -> None:
    inner, plain = component("prior", "hub", **SMALL), draw("normal", 200, 2, 20)
    x = draw("norms_like", 200, 2, 20, prior=inner)
    generator = torch.Generator().manual_seed(0)
    torch.randn(200, 2, 20, generator=generator)
    hubs = inner.draw((200, 2, 20), generator)
    torch.testing.assert_close(x.flatten(1).norm(dim=1), hubs.flatten(1).norm(dim=1))
    torch.testing.assert_close(*(part.flatten(1) / part.flatten(1).norm(dim=1, keepdim=True) for part in (x, plain)))


@pytest.mark.verify
def test_a_hub_has_a_uniform_direction_independent_of_its_norm() -> None:
    """First coordinates of unit vectors, by quantile of the norm, against their law: a beta distribution on [-1, 1]."""
    hubs = draw("hub", 3000, 40, **SMALL)
    norms = hubs.norm(dim=1)
    first = (hubs[:, 0] / norms).double().numpy()
    law = stats.beta(39 / 2, 39 / 2, loc=-1, scale=2)
    near = (norms < norms.median()).numpy()
    assert all(stats.kstest(some, law.cdf).pvalue > 1e-3 for some in (first, first[near], first[~near]))


def test_the_cube_has_the_moments_of_normal_draws() -> None:
    x = draw("uniform", 20000, 2)
    assert x.dtype == torch.float32 and torch.equal(x, draw("uniform", 20000, 2))
    edge = 3**0.5
    assert stats.kstest(x.flatten().double().numpy(), stats.uniform(-edge, 2 * edge).cdf).pvalue > 1e-3
