"""What a loss asks for by name, in both trainers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import LOSS_INPUTS, Loss, TrainingJob, component
from tests.plugins.training import CLASSES, Build, Residual, linear, make_job, mlp, plain, trained

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

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return each(logits, target)

    def with_state(self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor]) -> Any:
        """Its value by the mean and the count so far, and both one step on."""
        loss = each(logits, target)
        mean = 0.9 * state["mean"] + 0.1 * loss.mean()
        return loss.mean() / mean * (1 + state["calls"]), {"mean": mean, "calls": state["calls"] + 1}

    def state(self) -> dict[str, Any]:
        """Before the first step."""
        return {"mean": torch.tensor(1.0), "calls": torch.zeros((), dtype=torch.int64)}


def by_hand(loss: Loss, job: TrainingJob, k: int) -> Callable[..., Tensor]:
    """The same loss with each input made from its definition."""
    counts = torch.bincount(job.train.labels[k], minlength=CLASSES)
    assert not torch.equal(counts, torch.bincount(job.train.labels[1 - k], minlength=CLASSES))
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


@pytest.mark.verify
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

    def __call__(self, logits: Tensor, target: Tensor, **inputs: Any) -> Tensor:
        SEEN.append(inputs)
        return each(logits, target)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


@TRAINERS
def test_a_loss_may_take_everything(trainer: str, tmp_path: Path) -> None:
    trained(trainer, make_job(Open(), tmp_path, seeds=[0]))
    assert len(SEEN) == 15
    for place, seen in enumerate(SEEN):
        assert set(seen) == set(LOSS_INPUTS) - {"state"}
        assert (seen["step"], seen["epoch"]) == (place, place // 5)
        assert float(seen["progress"]) == pytest.approx(place / 14)
    assert (float(SEEN[0]["progress"]), float(SEEN[-1]["progress"])) == (0.0, 1.0)
