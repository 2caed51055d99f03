"""What a loss asks for by name, and its learned and scheduled fields, in both trainers."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import INPUTS, Job, Loss, NonNegative, Only, Positive, Unit, component
from harness.dynamic import Geometric, Learn, Linear

from .training import CLASSES, Build, Residual, linear, make_job, mlp, plain, take, trained

TRAINERS = pytest.mark.parametrize("trainer", ["stacked", "loop"])


def each(logits: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(logits, target, reduction="none")


class OfProgress(Loss):
    """Grows with progress."""

    def __call__(self, logits: Tensor, target: Tensor, progress: Tensor) -> Tensor:
        return each(logits, target) * torch.as_tensor(progress).square()


class OfStep(Loss):
    """Another weight for every step and epoch."""

    def __call__(self, logits: Tensor, target: Tensor, step: int, epoch: int) -> Tensor:
        return each(logits, target) * (1 + step / 7 + epoch**2)


class OfIndex(Loss):
    """Another weight for every row of the table."""

    def __call__(self, logits: Tensor, target: Tensor, index: Tensor) -> Tensor:
        assert index.shape == target.shape
        return each(logits, target) * (index + 1) / 60


class OfFeatures(Loss):
    """Pulls the input of the last layer to 0."""

    def __call__(self, logits: Tensor, target: Tensor, *, features: Tensor) -> Tensor:
        assert features.shape[:-1] == target.shape
        return each(logits, target) + features.square().sum(-1)


class OfClassCounts(Loss):
    """Weights every class by how rare it is."""

    def __call__(self, logits: Tensor, target: Tensor, class_counts: Tensor) -> Tensor:
        assert class_counts.shape == (CLASSES,)
        return each(logits, target) * 15 / class_counts[target]


class OfState(Loss):
    """Measured by its own running mean; counts its calls."""

    def __call__(self, logits: Tensor, target: Tensor, state: dict[str, Tensor]) -> Any:
        loss = each(logits, target)
        mean = 0.9 * state["mean"] + 0.1 * loss.mean()
        return loss.mean() / mean * (1 + state["calls"]), {"mean": mean, "calls": state["calls"] + 1}

    def state(self) -> dict[str, Any]:
        """Before the first step."""
        return {"mean": torch.tensor(1.0), "calls": torch.zeros((), dtype=torch.int64)}


def by_hand(loss: Loss, job: Job, k: int) -> Callable[..., Tensor]:
    """The same loss with each input made from its definition."""
    counts = torch.bincount(job.train.labels[k], minlength=CLASSES)
    memory = {"mean": torch.tensor(1.0), "calls": 0}

    def value(logits: Tensor, target: Tensor, *, progress: float, step: int, epoch: int, rows: Tensor, inputs: Tensor, model: Any) -> Tensor:  # fmt: skip
        ce = each(logits, target)
        if isinstance(loss, OfState):
            mean, calls = 0.9 * memory["mean"] + 0.1 * ce.mean(), memory["calls"]
            memory.update(mean=mean.detach(), calls=calls + 1)
            return ce.mean() / mean * (1 + calls)
        features = inputs if isinstance(model, nn.Linear) else model[:-1](inputs)
        weight: Any = {
            OfProgress: progress**2,
            OfStep: 1 + step / 7 + epoch**2,
            OfIndex: (rows + 1) / 60,
            OfClassCounts: torch.tensor([15 / int(counts[c]) for c in target]),
        }.get(type(loss), 1)
        return (ce * weight + (features.square().sum(1) if isinstance(loss, OfFeatures) else 0)).mean()

    return value


@TRAINERS
@pytest.mark.parametrize("build", [linear, mlp], ids=lambda build: build.__name__)
@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "wrapped"])
@pytest.mark.parametrize("cls", [OfProgress, OfStep, OfIndex, OfFeatures, OfClassCounts, OfState])
def test_an_input_is_what_it_is_documented_to_be(
    trainer: str, cls: type[Loss], wrapped: bool, build: Build, tmp_path: Path
) -> None:
    loss = component("loss", "scaled", loss=component("loss", "scaled", loss=cls())) if wrapped else cls()
    job = make_job(loss, tmp_path, build, seeds=[0, 3], optimizer="sgd")
    for k, (logits, _) in enumerate(trained(trainer, job)):
        torch.testing.assert_close(logits, plain(job, k, by_hand(cls(), job, k)), rtol=2e-5, atol=2e-5)


def test_features_of_a_network_that_is_no_sequence(tmp_path: Path) -> None:
    def value(logits: Tensor, target: Tensor, *, model: Any, inputs: Tensor, **_: Any) -> Tensor:
        return (each(logits, target) + model.features(inputs).square().sum(1)).mean()

    job = make_job(OfFeatures(), tmp_path, Residual, optimizer="sgd", lr=0.01)
    for trainer in ("stacked", "loop"):
        for k, (logits, _) in enumerate(trained(trainer, job)):
            torch.testing.assert_close(logits, plain(job, k, value), rtol=1e-4, atol=1e-4)


class OfGenerator(Loss):
    """Random weights."""

    def __call__(self, logits: Tensor, target: Tensor, generator: torch.Generator) -> Tensor:
        return each(logits, target) * torch.rand(target.shape, generator=generator)


@TRAINERS
def test_the_generator_is_one_per_block_and_step(trainer: str, tmp_path: Path) -> None:
    job = make_job(OfGenerator(), tmp_path, seeds=[5, 2, 6], optimizer="sgd")
    for k, (logits, _) in enumerate(trained(trainer, job)):
        block = [0, 3, k] if trainer == "stacked" else [k, 1, 0]  # first lane, lanes, own lane

        def value(logits: Tensor, target: Tensor, *, step: int, block: list[int] = block, **_: Any) -> Tensor:
            draws = torch.rand(block[1], len(target), generator=job.generator(f"loss/{step}", block[0]))
            return (each(logits, target) * draws[block[2]]).mean()

        torch.testing.assert_close(logits, plain(job, k, value), rtol=2e-5, atol=2e-5)


SEEN: list[dict[str, Any]] = []


class Open(Loss):
    """Takes whatever there is and notes it."""

    theta: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor, **inputs: Any) -> Tensor:
        SEEN.append({**inputs, "theta": self.theta})
        return each(logits, target)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


@TRAINERS
def test_a_loss_may_take_everything(trainer: str, tmp_path: Path) -> None:
    trained(trainer, make_job(Open(), tmp_path, seeds=[0]))
    assert len(SEEN) == 15
    for place, seen in enumerate(SEEN):
        assert set(seen) == {*INPUTS, "theta"}
        assert (seen["step"], seen["epoch"]) == (place, place // 5)
        assert float(seen["progress"]) == pytest.approx(place / 14)
    assert (float(SEEN[0]["progress"]), float(SEEN[-1]["progress"])) == (0.0, 1.0)


@TRAINERS
@pytest.mark.parametrize("ends", [(10.0, 0.01), (1e-3, 1e3), (0.3, 0.7), (3.0, 0.1), (7e5, 1e-3), (-2.0, -5.0)])
def test_schedules_start_and_end_where_they_say(trainer: str, ends: tuple[float, float], tmp_path: Path) -> None:
    exact = torch.tensor(ends)
    for schedule in (Geometric(*ends), Linear(*ends)):
        SEEN.clear()
        trained(trainer, make_job(Open(theta=schedule), tmp_path, seeds=[0]))  # type: ignore[arg-type]
        went = torch.stack([seen["theta"] for seen in SEEN])
        assert torch.equal(went[[0, -1]], exact)
        steps = went[1:] / went[:-1] if isinstance(schedule, Geometric) else went.diff()
        torch.testing.assert_close(steps, steps[:1].expand(14), rtol=1e-3, atol=1e-3 * float(steps.abs().max()))


@TRAINERS
def test_a_single_step_takes_the_first_value(trainer: str, tmp_path: Path) -> None:
    job = make_job(Open(theta=Geometric(4.0, 2.0)), tmp_path, seeds=[0], epochs=1, batch=64)  # type: ignore[arg-type]
    trained(trainer, job)
    assert [float(seen["theta"]) for seen in SEEN] == [4.0]


class Pull(Loss):
    """A valley in every field, all at 0.7, whatever the logits; or an endless slope where `slope` is not 0."""

    free: float = 0.7
    positive: Positive = 0.7
    nonnegative: NonNegative = 0.7
    unit: Unit = 0.7
    above_one_third: Annotated[float, Only(above=1 / 3)] = 0.7
    at_most_two: Annotated[float, Only(most=2)] = 0.7
    half_open: Annotated[float, Only(above=0, most=1)] = 0.7
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
    return Pull(**{name: Learn(start) for name in Pull.names}, **fields)


@TRAINERS
@pytest.mark.parametrize("start", [0.35, 0.99])
def test_learned_fields_find_the_bottom_of_the_valley(trainer: str, start: float, tmp_path: Path) -> None:
    settings = {"epochs": 40, "lr_schedule": "cosine", "weight_decay": 0.3}
    for _, learned in trained(trainer, make_job(learning(start), tmp_path, seeds=[0, 1], **settings)):
        assert learned == {name: pytest.approx(0.7, abs=2e-3) for name in Pull.names}


@TRAINERS
def test_a_learned_field_moves_by_the_gradient_of_its_free_number(trainer: str, tmp_path: Path) -> None:
    steps, lr, u, v = 15, 0.05, math.log(1.5), 1.5
    for _ in range(steps):
        u -= lr * 2 * (math.exp(u) - 0.7) * math.exp(u)
        v -= lr * 2 * (v - 0.7)
    loss = Pull(positive=Learn(1.5), free=Learn(1.5))  # type: ignore[arg-type]
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
    job = make_job(Pull(**{name: Learn(start) for name in names}), tmp_path, seeds=[0], lr=1e-12, optimizer="sgd")
    ((_, learned),) = trained("stacked", job)
    assert learned == {name: pytest.approx(start, rel=1e-5, abs=2e-6) for name in names}


@TRAINERS
def test_fields_inside_fields_are_learned_and_scheduled(trainer: str, tmp_path: Path) -> None:
    inner = component("loss", "scaled", loss=Pull(unit=Learn(0.2)), temperature=Geometric(2.0, 1.0))  # type: ignore[arg-type]
    outer = component("loss", "scaled", loss=inner, temperature=Learn(3.0))
    for _, learned in trained(trainer, make_job(outer, tmp_path, epochs=40, lr_schedule="cosine")):
        assert learned == {"temperature": pytest.approx(3.0), "loss.loss.unit": pytest.approx(0.7, abs=2e-3)}


def test_both_trainers_learn_a_temperature_alike(tmp_path: Path) -> None:
    loss = component("loss", "scaled", loss="cross_entropy", standardize=True, temperature=Learn(1.0))
    job = make_job(loss, tmp_path, normalize_gradient=True, lr_schedule="cosine")
    for (logits, learned), (others, other) in zip(trained("stacked", job), trained("loop", job), strict=True):
        torch.testing.assert_close(logits, others, rtol=1e-4, atol=1e-4)
        assert learned["temperature"] == pytest.approx(other["temperature"], rel=1e-5)
        assert abs(learned["temperature"] - 1) > 0.1


def test_class_counts_are_those_of_the_seeds_own_training_labels(tmp_path: Path) -> None:
    job = make_job(OfClassCounts(), tmp_path, seeds=[0, 1])
    assert len({tuple(torch.bincount(labels).tolist()) for labels in take(job.train, [0, 1]).labels}) == 2
