"""Learned and scheduled fields of a loss, in both trainers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from annotated_types import Gt, Le
from torch import Tensor

from harness import Loss, NonNegative, Positive, UnitInterval, component
from harness.dynamic import GeometricSchedule, Learned, LinearSchedule
from tests.plugins.training import make_job, trained

TRAINERS = pytest.mark.parametrize("trainer", ["stacked", "loop"])


SEEN: list[Tensor] = []


class Open(Loss):
    """Cross-entropy that notes its field."""

    theta: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        SEEN.append(torch.as_tensor(self.theta))
        return F.cross_entropy(logits, target)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


@TRAINERS
@pytest.mark.parametrize("ends", [(10.0, 0.01), (1e-3, 1e3), (0.3, 0.7), (3.0, 0.1), (7e5, 1e-3), (-2.0, -5.0)])
def test_schedules_start_and_end_where_they_say(trainer: str, ends: tuple[float, float], tmp_path: Path) -> None:
    exact = torch.tensor(ends)
    for schedule in (GeometricSchedule(*ends), LinearSchedule(*ends)):
        SEEN.clear()
        trained(trainer, make_job(Open(theta=schedule), tmp_path, seeds=[0]))  # type: ignore[arg-type]
        went = torch.stack(SEEN)
        assert torch.equal(went[[0, -1]], exact)
        steps = went[1:] / went[:-1] if isinstance(schedule, GeometricSchedule) else went.diff()
        torch.testing.assert_close(steps, steps[:1].expand(14), rtol=1e-3, atol=1e-3 * float(steps.abs().max()))


@TRAINERS
def test_a_single_step_takes_the_first_value(trainer: str, tmp_path: Path) -> None:
    job = make_job(Open(theta=GeometricSchedule(4.0, 2.0)), tmp_path, seeds=[0], epochs=1, batch=64)  # type: ignore[arg-type]
    trained(trainer, job)
    assert [float(theta) for theta in SEEN] == [4.0]


class Pull(Loss):
    """A valley in every field, all at 0.7, whatever the logits; or an endless slope where `slope` is not 0."""

    free: float = 0.7
    positive: Positive = 0.7
    nonnegative: NonNegative = 0.7
    unit: UnitInterval = 0.7
    above_one_third: Annotated[float, Gt(1 / 3)] = 0.7
    at_most_two: Annotated[float, Le(2)] = 0.7
    half_open: Annotated[float, Gt(0), Le(1)] = 0.7
    maybe: Positive | None = 0.7
    slope: float = 0.0
    names: ClassVar[tuple[str, ...]] = (
        "free", "positive", "nonnegative", "unit", "above_one_third", "at_most_two", "half_open", "maybe"
    )  # fmt: skip

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        loss = 0 * logits.sum(-1)
        for name in self.names:
            value = getattr(self, name)
            loss = loss + (self.slope * value if self.slope else (value - 0.7) ** 2)
        return loss


def learning(start: float, **fields: Any) -> Loss:
    return Pull(**{name: Learned(start) for name in Pull.names}, **fields)


@TRAINERS
@pytest.mark.parametrize("start", [0.35, 0.99])
def test_learned_fields_find_the_bottom_of_the_valley(trainer: str, start: float, tmp_path: Path) -> None:
    settings = {"epochs": 40, "lr_schedule": "cosine", "weight_decay": 0.3}
    for _, learned in trained(trainer, make_job(learning(start), tmp_path, seeds=[0], **settings)):
        assert learned == {name: pytest.approx(0.7, abs=2e-3) for name in Pull.names}


@TRAINERS
def test_a_learned_field_moves_by_the_gradient_of_its_free_number(trainer: str, tmp_path: Path) -> None:
    steps, lr, u, v = 15, 0.05, math.log(1.5), 1.5
    for _ in range(steps):
        u -= lr * 2 * (math.exp(u) - 0.7) * math.exp(u)
        v -= lr * 2 * (v - 0.7)
    loss = Pull(positive=Learned(1.5), free=Learned(1.5))  # type: ignore[arg-type]
    ((_, learned),) = trained(trainer, make_job(loss, tmp_path, seeds=[0], optimizer="sgd", lr=lr))
    assert learned == {"positive": pytest.approx(math.exp(u), rel=1e-5), "free": pytest.approx(v, rel=1e-5)}


@TRAINERS
@pytest.mark.parametrize("slope", [1.0, -1.0])
@pytest.mark.parametrize("lr", [0.1, 1e3, 1e9])
def test_learned_fields_stay_in_their_range(trainer: str, slope: float, lr: float, tmp_path: Path) -> None:
    job = make_job(learning(0.5, slope=slope), tmp_path, seeds=[0], lr=lr)
    ((_, learned),) = trained(trainer, job)
    for name, value in learned.items():
        Pull(**{name: value})  # raises where it does not fit
        assert math.isfinite(value)
        assert (value < 0.5) == (slope > 0)


@pytest.mark.parametrize("start", [0.0, 1e-9, 1.0, 800.0, 1e30])
def test_a_learned_field_starts_where_it_is_told(start: float, tmp_path: Path) -> None:
    names = [n for n in Pull.names if n in ("nonnegative", "free") or (start <= 1 and n == "unit")]
    job = make_job(Pull(**{name: Learned(start) for name in names}), tmp_path, seeds=[0], lr=1e-12, optimizer="sgd")
    ((_, learned),) = trained("stacked", job)
    assert learned == {name: pytest.approx(start, rel=1e-5, abs=2e-6) for name in names}


@TRAINERS
def test_fields_inside_fields_are_learned_and_scheduled(trainer: str, tmp_path: Path) -> None:
    inner = component("loss", "scaled", loss=Pull(unit=Learned(0.2)), temperature=GeometricSchedule(2.0, 1.0))  # type: ignore[arg-type]
    outer = component("loss", "scaled", loss=inner, temperature=Learned(3.0))
    for _, learned in trained(trainer, make_job(outer, tmp_path, seeds=[0], epochs=40, lr_schedule="cosine")):
        assert learned == {"temperature": pytest.approx(3.0), "loss.loss.unit": pytest.approx(0.7, abs=2e-3)}


def test_both_trainers_learn_a_temperature_alike(tmp_path: Path) -> None:
    loss = component("loss", "scaled", loss="cross_entropy", standardize=True, temperature=Learned(1.0))
    job = make_job(loss, tmp_path, normalize_gradient=True, lr_schedule="cosine")
    for (logits, learned), (others, other) in zip(trained("stacked", job), trained("loop", job), strict=True):
        torch.testing.assert_close(logits, others, rtol=1e-4, atol=1e-4)
        assert learned["temperature"] == pytest.approx(other["temperature"], rel=1e-5)
        assert abs(learned["temperature"] - 1) > 0.1
