"""The losses that belong to sparsemax and entmax."""

from __future__ import annotations

from typing import Any

import pytest
import scipy.optimize
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import replace_fields
from harness.discovery.registry import component

SPECS: list[dict[str, Any]] = [
    {"name": "sparsemax_loss"},
    *({"name": "entmax_loss", "alpha": a} for a in (0.5, 1.0, 1.5, 2.0, 3.0)),
]
EVERY = pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s['name']}{s.get('alpha', '')}")


def draw(batch: int = 40, classes: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(batch, classes, generator=g, dtype=torch.float64), torch.randint(
        classes, (batch,), generator=g
    )


def partner(spec: dict[str, Any]) -> Any:
    return component("transform", spec["name"].removesuffix("_loss"), **{k: spec[k] for k in spec if k == "alpha"})


def tsallis(p: Tensor, alpha: float) -> Tensor:
    return torch.special.entr(p).sum(-1) if alpha == 1 else (p - p**alpha).sum(-1) / (alpha * (alpha - 1))


@EVERY
def test_gradient_is_the_prediction_less_the_label(spec: dict[str, Any]) -> None:
    loss, (logits, target) = component("loss", **spec), draw()
    (gradient,) = torch.autograd.grad(loss(logits.requires_grad_(), target).sum(), logits)
    torch.testing.assert_close(gradient, partner(spec)(logits) - F.one_hot(target, 5), atol=1e-13, rtol=0)


@EVERY
def test_probabilities_are_the_gradient_and_the_label(spec: dict[str, Any]) -> None:
    loss, (logits, target) = component("loss", **spec), draw()
    (gradient,) = torch.autograd.grad(loss(logits.requires_grad_(), target).sum(), logits)
    p = loss.probabilities(logits.detach())
    torch.testing.assert_close(p, gradient + F.one_hot(target, logits.shape[-1]))
    torch.testing.assert_close(loss.log_probabilities(logits.detach()), p.log())


@pytest.mark.verify
@EVERY
def test_both_derivatives_equal_finite_differences(spec: dict[str, Any]) -> None:
    loss, (logits, target) = component("loss", **spec), draw(4)
    assert torch.autograd.gradcheck(lambda s: loss(s, target), logits.requires_grad_())
    assert torch.autograd.gradgradcheck(lambda s: loss(s, target), logits)


@EVERY
def test_value_is_the_conjugate_of_the_entropy(spec: dict[str, Any]) -> None:
    logits, target = draw(3)
    alpha = spec.get("alpha", 2.0)
    for z, y, value in zip(logits, target, component("loss", **spec)(logits, target), strict=True):

        def negative(x: Any, z: Tensor = z) -> float:
            p = torch.from_numpy(x).clamp(min=1e-300)
            return -float(p @ z + tsallis(p, alpha))

        sums = {"type": "eq", "fun": lambda x: x.sum() - 1}
        options = {"ftol": 1e-14, "maxiter": 1000}
        start = z.softmax(-1).numpy()
        best = scipy.optimize.minimize(negative, start, bounds=[(0, 1)] * 5, constraints=sums, options=options)
        assert value.item() == pytest.approx(-best.fun - z[y].item(), abs=1e-6)


@EVERY
def test_zero_exactly_where_the_prediction_is_the_label(spec: dict[str, Any]) -> None:
    loss, transform = component("loss", **spec), partner(spec)
    logits = torch.tensor([[9.0, 0, 0], [0.4, 0.3, -2]], dtype=torch.float64)
    for target in (torch.tensor([0, 0]), torch.tensor([1, 1])):
        value, right = loss(logits, target), transform(logits)[torch.arange(2), target] == 1
        assert torch.equal(value == 0, right) and bool((value >= 0).all())
    assert bool((transform(logits)[0] == torch.tensor([1, 0, 0])).all()) == (spec.get("alpha", 2.0) > 1)


def test_never_negative_near_the_label() -> None:
    gaps = torch.linspace(0.5, 3, 2001, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.0, 0.1])
    for spec in SPECS:
        for logits in (gaps, gaps.float()):
            assert (component("loss", **spec)(logits, torch.zeros(2001, dtype=torch.int64)) >= 0).all()


def test_ends_of_the_family() -> None:
    logits, target = draw()
    torch.testing.assert_close(
        component("loss", "entmax_loss", alpha=1)(logits, target), F.cross_entropy(logits, target, reduction="none")
    )
    two, sparse = component("loss", "entmax_loss", alpha=2), component("loss", "sparsemax_loss")
    torch.testing.assert_close(two(logits, target), sparse(logits, target))


def test_sparsemax_loss_is_the_published_formula() -> None:
    logits, target = draw()
    p = component("transform", "sparsemax")(logits)
    threshold = ((logits * (p > 0)).sum(-1, keepdim=True) - 1) / (p > 0).sum(-1, keepdim=True)
    expected = -logits.gather(-1, target[:, None])[:, 0] + 0.5 * ((logits**2 - threshold**2) * (p > 0)).sum(-1) + 0.5
    torch.testing.assert_close(component("loss", "sparsemax_loss")(logits, target), expected)


@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.4, 2.0, 2.6])
def test_alpha_can_be_learned(alpha: float) -> None:
    loss, (logits, target) = component("loss", "entmax_loss"), draw(4)

    def value(a: Tensor, s: Tensor) -> Tensor:
        result: Tensor = replace_fields(loss, {("alpha",): a})(s, target)
        return result

    a = torch.tensor(alpha, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(value, (a, logits.requires_grad_()))


@EVERY
def test_mapped_over_seeds_with_gradients(spec: dict[str, Any]) -> None:
    loss = component("loss", **spec)
    logits, target = (torch.stack(parts) for parts in zip(*(draw(seed=k) for k in range(3)), strict=True))
    slope = torch.func.grad(lambda s, y: loss(s, y).mean())
    expected = torch.stack([slope(s, y) for s, y in zip(logits, target, strict=True)])
    torch.testing.assert_close(torch.func.vmap(slope)(logits, target), expected)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_and_masked_logits(spec: dict[str, Any], dtype: torch.dtype) -> None:
    logits = torch.tensor([[1e4, -1e4, 0], [-1e4, 1e4, 0], [0, -torch.inf, 1]], dtype=dtype, requires_grad=True)
    value = component("loss", **spec)(logits, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    assert value.isfinite().all() and gradient.isfinite().all()
    assert value[1].item() == pytest.approx(2e4, rel=1e-2)
