"""Softmax over label sets against every set written out, polynomials with exact coefficients, and known answers."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from harness.discovery.registry import component

KNOWN = torch.tensor([[1.0, 0.5, -0.2, 0.3]], dtype=torch.float64)


def draw(batch: int, labels: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, labels, generator=g, dtype=torch.float64)
    share = torch.rand(batch, 1, generator=g)
    return logits, (torch.rand(batch, labels, generator=g) < share).double()


def by_sets(row: list[float], on: set[int], swaps: int | None = None) -> float:
    """-log softmax over the sets of the target's size, those within reach by so many swaps."""
    sets = [s for s in itertools.combinations(range(len(row)), len(on)) if swaps is None or len(on - set(s)) <= swaps]
    weights = [math.exp(math.fsum(row[i] for i in s)) for s in sets]
    return math.log(math.fsum(weights)) - math.fsum(row[i] for i in on)


def on(target: Tensor) -> list[set[int]]:
    return [set(row.nonzero()[:, 0].tolist()) for row in target]


def test_known_answer() -> None:
    value = component("loss", "choose_k")(KNOWN, torch.tensor([[1.0, 0, 0, 1]]))
    assert value.item() == pytest.approx(1.4118494628, abs=1e-10)
    every = [component("loss", "choose_k")(KNOWN, t) for t in targets_of(2)]
    assert torch.stack(every).neg().exp().sum().item() == pytest.approx(1)
    log_z = value.item() + KNOWN[0, 0].item() + KNOWN[0, 3].item()
    assert log_z == pytest.approx(2.7118494628, abs=1e-10)


def targets_of(k: int, labels: int = 4) -> list[Tensor]:
    rows = [[float(i in s) for i in range(labels)] for s in itertools.combinations(range(labels), k)]
    return [torch.tensor([row]) for row in rows]


@pytest.mark.parametrize("labels", [1, 2, 3, 4, 5, 7, 8, 9, 12])
def test_it_is_the_softmax_over_all_sets_of_the_targets_size(labels: int) -> None:
    s, t = draw(30, labels)
    t[0], t[1] = 0, 1
    expected = [by_sets(row, here) for row, here in zip(s.tolist(), on(t), strict=True)]
    torch.testing.assert_close(
        component("loss", "choose_k")(s, t), torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=1e-11
    )


@pytest.mark.verify
@pytest.mark.parametrize("swaps", [1, 2, 3, 50])
@pytest.mark.parametrize("labels", [1, 4, 7, 9])
def test_swaps_keep_the_sets_within_their_reach(labels: int, swaps: int) -> None:
    s, t = draw(30, labels)
    expected = [by_sets(row, here, swaps) for row, here in zip(s.tolist(), on(t), strict=True)]
    value = component("loss", "choose_k", swaps=swaps)(s, t)
    torch.testing.assert_close(value, torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=1e-11)


def test_one_swap_is_the_ranking_loss_without_a_threshold() -> None:
    s, t = draw(30, 8)
    expected = (1 + ((1 - t) * s.exp()).sum(-1) * (t * (-s).exp()).sum(-1)).log()
    torch.testing.assert_close(component("loss", "choose_k", swaps=1)(s, t), expected)


def test_of_one_label_an_example_it_is_cross_entropy() -> None:
    s, _ = draw(30, 8)
    classes = torch.arange(30) % 8
    target = torch.nn.functional.one_hot(classes, 8).double()
    expected = torch.nn.functional.cross_entropy(s, classes, reduction="none")
    torch.testing.assert_close(component("loss", "choose_k")(s, target), expected)


def test_the_gradient_is_the_chance_of_a_label_to_be_in_the_set_less_the_target() -> None:
    s, t = draw(1, 6, seed=2)
    (here,) = on(t)
    assert 1 < len(here) < 6
    sets = list(itertools.combinations(range(6), len(here)))
    weights = torch.tensor([sum(s[0, i].item() for i in chosen) for chosen in sets]).double().softmax(0)
    chance = [sum(w.item() for w, chosen in zip(weights, sets, strict=True) if i in chosen) for i in range(6)]
    s.requires_grad_()
    (slope,) = torch.autograd.grad(component("loss", "choose_k")(s, t).sum(), s)
    torch.testing.assert_close(slope[0], torch.tensor(chance).double() - t[0], rtol=1e-6, atol=1e-7)


def test_a_constant_changes_nothing() -> None:
    s, t = draw(30, 9)
    loss = component("loss", "choose_k")
    torch.testing.assert_close(loss(s + 7.5, t), loss(s, t))


@pytest.mark.parametrize(("labels", "k"), [(100, 50), (300, 7), (257, 256)])
def test_equal_logits_count_the_sets(labels: int, k: int) -> None:
    target = torch.zeros(1, labels)
    target[0, :k] = 1
    value = component("loss", "choose_k")(torch.full((1, labels), 3.0).double(), target)
    assert value.item() == pytest.approx(math.log(math.comb(labels, k)), rel=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_many_labels_do_not_cancel(dtype: torch.dtype, tolerance: float) -> None:
    """Where Newton's identities lose every digit: coefficients in exact fractions are the reference."""
    s, t = draw(1, 60, seed=5)
    s, t = 5 * s.to(dtype), (torch.arange(60) % 3 == 0).to(dtype)[None]
    k, coefficients = int(t.sum()), [Fraction(1)] + [Fraction(0)] * 60
    for x in s[0].double().exp().tolist():
        coefficients = [a + Fraction(x) * b for a, b in zip(coefficients, [Fraction(0), *coefficients], strict=False)]
    log_z = math.log(coefficients[k].numerator) - math.log(coefficients[k].denominator)
    expected = log_z - math.fsum(x for x, y in zip(s[0].tolist(), t[0].tolist(), strict=True) if y)
    assert component("loss", "choose_k")(s, t).item() == pytest.approx(expected, rel=tolerance)
