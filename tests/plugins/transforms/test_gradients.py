"""Derivatives of the noise transforms, and the ways torch can call them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import harness

NAMES = ["gaussian", "logistic", "student_t", "cauchy", "laplace", "uniform"]
F64 = torch.float64


def build(name: str, **fields: Any) -> Any:
    return harness.component("transform", name, **fields)


def draw(*shape: int, seed: int = 0, spread: float = 0.4) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64) * spread


def at(transform: Any, **values: torch.Tensor) -> Any:
    return harness.replace_fields(transform, {(name,): value for name, value in values.items()})


@pytest.mark.verify
@pytest.mark.parametrize("name", [*NAMES, "noise_argmax"])
@pytest.mark.parametrize("form", ["p", "log"])
def test_first_and_second_derivatives(name: str, form: str) -> None:
    transform = build(name)
    function = transform if form == "p" else transform.log
    logits = draw(1, 3, spread=0.2).requires_grad_()
    assert torch.autograd.gradcheck(function, logits, atol=1e-8)
    if name != "noise_argmax":
        assert torch.autograd.gradgradcheck(function, logits, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_jacobian_is_a_graph_laplacian(name: str) -> None:
    jacobian = torch.autograd.functional.jacobian(build(name), draw(7, spread=1.0))
    assert (jacobian - jacobian.T).abs().max() < 1e-12 and jacobian.sum(1).abs().max() < 1e-12
    assert (jacobian - jacobian.diagonal().diag() <= 0).all() and torch.linalg.eigvalsh(jacobian).min() > -1e-12


@pytest.mark.parametrize("name", NAMES)
def test_a_learned_scale_has_its_gradient(name: str) -> None:
    transform, scale = build(name), torch.tensor(1.3, dtype=F64, requires_grad=True)
    logits = draw(2, 3, spread=0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda s, x: at(transform, scale=s)(x), (scale, logits), atol=1e-8)
    assert torch.autograd.gradcheck(lambda s, x: at(transform, scale=s).log(x), (scale, logits), atol=1e-7)
    p = at(transform, scale=scale)(logits)
    by_scale, by_logits = torch.autograd.grad(p.square().sum(), (scale, logits))
    assert torch.allclose(by_scale, -(by_logits * logits).sum() / scale)
    masked = torch.tensor([0.3, -torch.inf, 0.0], dtype=F64)
    (gradient,) = torch.autograd.grad(at(transform, scale=scale)(masked)[0], scale)
    assert torch.isfinite(gradient) and gradient < 0


def test_a_learned_width_has_its_gradient() -> None:
    width = torch.tensor(1.3, dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: at(build("uniform"), width=w)(draw(2, 3)), width)


@pytest.mark.parametrize("name", NAMES)
def test_scale_is_a_temperature(name: str) -> None:
    logits = draw(3, 4)
    assert torch.allclose(build(name, scale=2.5)(logits), build(name)(logits / 2.5), rtol=0, atol=1e-13)


@pytest.mark.verify
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_lanes_are_as_alone(name: str, dtype: torch.dtype) -> None:
    logits, scales = draw(3, 5, 4, spread=1.0).to(dtype), torch.tensor([0.7, 1.0, 2.0], dtype=dtype)

    mapped = torch.func.vmap(at_each(name))(scales, logits)
    alone = torch.stack([at_each(name)(s, x) for s, x in zip(scales, logits, strict=True)])
    assert torch.allclose(mapped, alone, rtol=0, atol=1e-7 if dtype == torch.float32 else 1e-14)
    inside = torch.func.vmap(torch.func.grad(lambda s, x: (at_each(name)(s, x) * x.cos()).sum(), argnums=(0, 1)))(
        scales, logits
    )
    leaves = scales.clone().requires_grad_(), logits.clone().requires_grad_()
    outside = torch.autograd.grad((torch.func.vmap(at_each(name))(*leaves) * leaves[1].cos()).sum(), leaves)
    for got, expected in zip(inside, outside, strict=True):
        assert torch.allclose(got, expected, atol=1e-6 if dtype == torch.float32 else 1e-12)


def at_each(name: str) -> Any:
    return lambda scale, rows: at(build(name), scale=scale).log(rows).exp()


def test_trains_in_a_stack_of_lanes_with_a_learned_scale() -> None:
    logits, free = draw(3, 5, 4).float().requires_grad_(), torch.zeros(3, requires_grad=True)
    target = torch.tensor([0, 1, 2, 3, 0]).repeat(3, 1)
    loss = harness.component("loss", "nll", transform={"name": "gaussian"})

    def lane(x: torch.Tensor, y: torch.Tensor, u: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = harness.replace_fields(loss, {("transform", "scale"): u.exp()})(x, y).mean()
        return value

    losses = torch.func.vmap(lane, randomness="different")(logits, target, free)
    gradients = torch.autograd.grad(losses.sum(), (logits, free))
    alone = [torch.autograd.grad(lane(logits[k], target[k], free[k]), (logits, free)) for k in range(3)]
    assert torch.allclose(gradients[0], sum(g[0] for g in alone), atol=1e-7)
    assert torch.allclose(gradients[1], sum(g[1] for g in alone), atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_masks_and_rows_that_are_no_numbers(name: str, dtype: torch.dtype) -> None:
    nan, inf = torch.nan, torch.inf
    logits = torch.tensor(
        [[0.2, -inf, 0.0], [nan, 0, 0], [-inf, -inf, -inf], [inf, 0, 0]], dtype=dtype, requires_grad=True
    )
    p, log_p = build(name)(logits), build(name).log(logits)
    pair = build(name)(logits[:1, [0, 2]])
    assert torch.allclose(p[0, [0, 2]], pair[0], atol=1e-6) and p[0, 1] == 0 and log_p[0, 1] == -inf
    assert p[1:].isnan().all() and log_p[1:].isnan().all()
    (gradient,) = torch.autograd.grad(p[0, 0] + log_p[0, 2], logits)
    assert gradient.isfinite().all() and gradient[0, 1] == 0 and (gradient[1:] == 0).all()


@pytest.mark.parametrize("name", [*NAMES, "noise_argmax"])
def test_shapes_dimensions_and_types(name: str) -> None:
    transform, logits = build(name), draw(2, 3, 4)
    assert torch.allclose(transform(logits, dim=1), transform(logits.movedim(1, -1)).movedim(-1, 1), atol=1e-14)
    assert torch.allclose(transform.log(logits, dim=0), transform.log(logits.movedim(0, -1)).movedim(-1, 0), atol=1e-14)
    assert transform(torch.zeros(0, 3)).shape == (0, 3) and transform(torch.zeros(4, 1)).tolist() == [[1.0]] * 4
    for dtype in (torch.float16, torch.bfloat16):
        half = logits.to(dtype)
        assert transform(half).dtype == dtype
        assert torch.allclose(transform(half).float(), transform(half.float()), atol=4e-3)
    with pytest.raises(harness.BenchError, match="floating-point"):
        transform(torch.zeros(3, dtype=torch.int64))


def test_autocast_changes_nothing() -> None:
    logits = draw(8, 20).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = build("gaussian")(logits)
    assert inside.dtype == torch.float32 and torch.equal(inside, build("gaussian")(logits))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch's own, where it splits the function
def test_can_stand_in_a_compiled_function() -> None:
    logits = draw(4, 5).float().requires_grad_()
    transform = build("gaussian")
    compiled = torch.compile(lambda x: transform(x * 2).square().sum(), backend="eager")
    (expected,) = torch.autograd.grad(transform(logits * 2).square().sum(), logits)
    (gradient,) = torch.autograd.grad(compiled(logits), logits)
    assert torch.allclose(gradient, expected)


def test_fifty_thousand_classes_in_little_memory() -> None:
    for name in ("gaussian", "cauchy"):
        logits = (draw(2, 50_000, spread=1.0)).float().requires_grad_()
        p = build(name)(logits)
        (gradient,) = torch.autograd.grad(p[:, :10].sum(), logits)
        assert torch.allclose(p.sum(-1), torch.ones(2), atol=1e-5) and gradient.sum(-1).abs().max() < 1e-6
