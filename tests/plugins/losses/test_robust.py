"""Losses between cross-entropy and the error rate: known values, other implementations, gradients, lanes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Learned, LinearSchedule, Loss, call_with_inputs, replace_fields, requested_inputs
from harness.discovery.registry import component
from tests.plugins import laws

FORMS: dict[str, dict[str, Any]] = {
    "poly1": {"name": "poly1"},
    "poly1_least": {"name": "poly1", "epsilon": -1.0},
    "generalized_cross_entropy": {"name": "generalized_cross_entropy"},
    "mixture": {"name": "mixture"},
    "mixture_of_shapes": {"name": "mixture", "first": "smooth_f1", "second": "hinge", "weight": 0.3},
    "smooth_f1": {"name": "smooth_f1"},
}
EVERY = pytest.mark.parametrize("form", FORMS)


def make(form: str) -> Any:
    return component("loss", **FORMS[form])


def draw(batch: int = 6, classes: int = 4, scale: float = 2.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(batch, classes, generator=g, dtype=torch.float64)
    return logits, torch.randint(classes, (batch,), generator=g)


def at(p: float, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Logits whose softmax gives the label p."""
    return torch.tensor([[math.log(p), math.log1p(-p)]], dtype=dtype), torch.tensor([0])


@pytest.mark.parametrize(
    ("spec", "p", "value"),
    [
        ({"name": "poly1"}, 0.1, 2.302585093 + 1.8),
        ({"name": "generalized_cross_entropy"}, 0.1, 1.1435340),
        *[
            ({"name": "poly1", "epsilon": 0.0}, p, v)
            for p, v in [(0.999, 0.0010005), (0.99, 0.0100503), (0.9, 0.105361), (0.5, 0.693147), (0.1, 2.302585)]
        ],
        *[({"name": "generalized_cross_entropy", "q": 1.0}, p, 1 - p) for p in (0.999, 0.99, 0.9, 0.5, 0.1)],
        ({"name": "mixture"}, 0.1, (2.302585093 + 0.9) / 2),
        ({"name": "mixture", "weight": 0.25}, 0.1, 0.25 * 2.302585093 + 0.75 * 0.9),
    ],
    ids=str,
)
def test_known_values(spec: dict[str, Any], p: float, value: float) -> None:
    assert component("loss", **spec)(*at(p)).item() == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])
def test_slopes_in_the_logit_are_those_of_the_formula(p: float) -> None:
    slopes = {
        "generalized_cross_entropy": -(p**0.7) * (1 - p),  # q = 1: -p (1 - p), which dies at both ends
        "poly1": -(1 - p) - 2 * p * (1 - p),
        "mixture": -((1 - p) + p * (1 - p)) / 2,
    }
    for name, slope in slopes.items():
        logits, target = at(p)
        (gradient,) = torch.autograd.grad(component("loss", name)(logits.requires_grad_(), target).sum(), logits)
        assert gradient[0, 0].item() == pytest.approx(slope, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_generalized_cross_entropy_goes_to_cross_entropy(classes: int, dtype: torch.dtype) -> None:
    logits, target = draw(16, classes)
    value = component("loss", "generalized_cross_entropy", q=1e-6)(logits.to(dtype), target)
    torch.testing.assert_close(value, F.cross_entropy(logits.to(dtype), target, reduction="none"), rtol=1e-4, atol=1e-5)


@EVERY
def test_gradient_equals_finite_differences(form: str) -> None:
    laws.gradient_equals_finite_differences(make(form), draw)


@EVERY
def test_a_constant_changes_nothing(form: str) -> None:
    laws.a_constant_changes_nothing(make(form), draw)


@EVERY
def test_vmap_over_seeds_equals_a_loop(form: str) -> None:
    laws.vmap_over_seeds_equals_a_loop(make(form), draw)


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("fill", [-torch.inf, -1e12])
def test_a_masked_class_changes_nothing(form: str, fill: float) -> None:
    logits, target = draw(6, 3)
    wide = torch.cat([logits, torch.full((6, 1), fill)], 1).requires_grad_()
    value = make(form)(wide, target)
    torch.testing.assert_close(value, make(form)(logits, target))
    (gradient,) = torch.autograd.grad(value.sum(), wide)
    assert torch.isfinite(gradient).all() and (gradient[:, 3] == 0).all()


@pytest.mark.verify
@EVERY
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_extreme_logits_stay_finite(form: str, dtype: torch.dtype) -> None:
    logits = torch.zeros(3, 1000, dtype=dtype)
    logits[0, 0], logits[1, 1] = 1e4, 1e4
    logits[2] -= 1e4
    logits.requires_grad_()
    value = make(form)(logits, torch.zeros(3, dtype=torch.int64))
    (gradient,) = torch.autograd.grad(value.float().sum(), logits)
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all() and (value >= 0).all()


@EVERY
def test_half_precision_agrees_with_double(form: str) -> None:
    logits, target = draw(32, 10, scale=1.0)
    value = make(form)(logits.half(), target).double()
    torch.testing.assert_close(value, make(form)(logits.half().double(), target), rtol=1e-2, atol=1e-2)


FIELDS: list[tuple[dict[str, Any], str, Any]] = [
    ({"name": "poly1"}, "epsilon", lambda p, v: 1 - p),
    ({"name": "generalized_cross_entropy"}, "q", lambda p, v: (-(p**v) * np.log(p) * v - 1 + p**v) / v**2),
    ({"name": "mixture"}, "weight", lambda p, v: -np.log(p) - 1 + p),
]


@pytest.mark.parametrize(("spec", "field", "slope"), FIELDS, ids=[f"{s['name']}.{f}" for s, f, _ in FIELDS])
def test_a_field_may_be_one_learned_number_per_seed(spec: dict[str, Any], field: str, slope: Any) -> None:
    logits, target = draw()
    p = logits.softmax(-1).gather(1, target[:, None])[:, 0].numpy()
    values = torch.tensor([0.25, 0.5, 0.75])
    step = torch.func.grad(lambda v: replace_fields(component("loss", **spec), {(field,): v})(logits, target).mean())
    slopes = torch.func.vmap(step)(values)
    expected = [slope(p, v).mean() for v in values.tolist()]
    torch.testing.assert_close(slopes, torch.tensor(expected).float(), rtol=1e-5, atol=1e-6)


def f1(logits: Tensor, target: Tensor) -> float:
    """Macro F1 over the classes that occur, with softmax probabilities as predictions, by numpy."""
    p, t = torch.softmax(logits, -1).numpy(), np.eye(logits.shape[1])[target.numpy()]
    scores = 2 * (t * p).sum(0) / (t + p).sum(0)
    return float(scores[t.any(0)].mean())


@pytest.mark.verify
@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_smooth_f1_is_the_formula_written_out(classes: int, scale: float) -> None:
    for batch in (1, 5, 200):
        logits, target = draw(batch, classes, scale)
        value = component("loss", "smooth_f1")(logits, target)
        assert value.shape == () and value.item() == pytest.approx(1 - f1(logits, target), abs=1e-12)


def test_smooth_f1_of_sure_predictions_is_f1() -> None:
    from sklearn.metrics import f1_score

    logits, target = draw(50, 4)
    guess = logits.argmax(-1)
    value = component("loss", "smooth_f1")(1e3 * F.one_hot(guess, 4).double(), target)
    assert set(target.tolist()) == {0, 1, 2, 3}
    assert value.item() == pytest.approx(1 - f1_score(target, guess, average="macro"), abs=1e-12)


def test_smooth_f1_is_0_for_the_truth_even_where_a_class_does_not_occur() -> None:
    target = torch.tensor([0, 1, 1])
    assert component("loss", "smooth_f1")(1e3 * F.one_hot(target, 4).double(), target).item() == 0


class Weighted(Loss):
    """Cross-entropy times progress."""

    def __call__(self, logits: Tensor, target: Tensor, progress: float) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none") * progress


class Counting(Loss):
    """Cross-entropy that counts its calls by `by`."""

    by: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none")

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Its value, one call on."""
        return self(logits, target), {"calls": state["calls"] + self.by}

    def state(self) -> dict[str, Any]:
        """One counter."""
        return {"calls": torch.zeros(())}


def test_a_mixture_passes_on_what_its_parts_ask_for() -> None:
    (logits, target), loss = draw(), component("loss", "mixture", first=Weighted(), second="hinge", weight=0.25)
    assert requested_inputs(loss) == {"progress"}
    value = call_with_inputs(loss, logits, target, progress=0.5, epoch=3)
    expected = 0.125 * F.cross_entropy(logits, target, reduction="none") + 0.75 * component("loss", "hinge")(
        logits, target
    )
    torch.testing.assert_close(value, expected)


def test_a_mixture_keeps_the_states_of_its_parts_apart() -> None:
    logits, target = draw()
    inner = component("loss", "mixture", first=Counting(), second=Counting(by=10.0))
    loss = component("loss", "mixture", first=inner, second="cross_entropy")
    state = loss.state()
    for step in range(2):
        value, state = call_with_inputs(loss.with_state, logits, target, state=state, epoch=step)
    assert {name: float(v) for name, v in state.items()} == {"first.first.calls": 2, "first.second.calls": 20}
    torch.testing.assert_close(value, F.cross_entropy(logits, target, reduction="none"))


def test_the_weight_of_a_mixture_may_go_from_one_part_to_the_other() -> None:
    loss = component(
        "loss", "mixture", weight=LinearSchedule(1.0, 0.0), second={"name": "exact", "temperature": Learned(1.0)}
    )
    assert loss.spec()["weight"] == {"linear": [1.0, 0.0]}
    assert loss.spec()["second"] == {"name": "exact", "temperature": {"learn": 1.0}}
