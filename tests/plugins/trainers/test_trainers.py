"""The stock trainers against an ordinary loop over torch.nn and torch.optim, one seed at a time."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Loss, TrainingJob, component
from tests.plugins.training import CLASSES, COLUMNS, Build, Residual, alone, linear, make_job, mlp, plain, trained

TRAINERS = pytest.mark.parametrize("trainer", ["stacked", "loop"])


class Cosine(nn.Linear):
    """A linear layer that is not linear."""

    def forward(self, x: Tensor) -> Tensor:
        return 5 * super().forward(F.normalize(x, dim=-1))


class Halved(nn.Linear):
    """Logits that are halved while training only."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (0.5 if self.training else 1.0)


def one_activation() -> nn.Module:
    act = nn.Tanh()
    return nn.Sequential(nn.Linear(COLUMNS, 6), act, nn.Linear(6, 6), act, nn.Linear(6, CLASSES))


def one_layer_twice() -> nn.Module:
    layer = nn.Linear(COLUMNS, COLUMNS)
    return nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(COLUMNS, CLASSES))


def tied() -> nn.Module:
    first, second = nn.Linear(COLUMNS, COLUMNS), nn.Linear(COLUMNS, COLUMNS)
    second.weight = first.weight
    return nn.Sequential(first, nn.ReLU(), second, nn.Linear(COLUMNS, CLASSES, bias=False))


def frozen() -> nn.Module:
    model = mlp()
    assert isinstance(model, nn.Sequential)
    model[0].requires_grad_(False)
    return model


def in_place() -> nn.Module:
    return nn.Sequential(nn.ReLU(inplace=True), nn.Linear(COLUMNS, 6), nn.ReLU(inplace=True), nn.Linear(6, CLASSES))


class Gained(nn.Linear):
    """Logits times a weight that has no dimension."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, CLASSES)
        self.gain = nn.Parameter(torch.tensor(2.0))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.gain


def convolutions() -> nn.Module:
    """Convolutions with and without padding, a stride, groups, a norm and pooling between them."""
    first = [nn.Unflatten(1, (1, COLUMNS)), nn.Conv1d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU()]
    second = [nn.Conv1d(4, 6, 2, groups=2, bias=False), nn.MaxPool1d(2), nn.Flatten()]
    return nn.Sequential(*first, *second, nn.Linear(12, CLASSES))


def images() -> nn.Module:
    layers = [nn.ZeroPad1d((0, 4)), nn.Unflatten(1, (1, 3, 3)), nn.Conv2d(1, 4, 2, stride=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, CLASSES))


def check(job: TrainingJob, trainer: str, tolerance: float = 2e-5) -> None:
    for k, (logits, _) in enumerate(trained(trainer, job)):
        torch.testing.assert_close(logits, plain(job, k), rtol=tolerance, atol=tolerance)


@TRAINERS
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd"},
        {"weight_decay": 0.1},
        {"optimizer": "sgd", "weight_decay": 0.1, "lr_schedule": "cosine", "normalize_gradient": True},
        {"lr_schedule": "cosine"},
        {"normalize_gradient": True, "weight_decay": 0.01},
        {"batch": 47},
        {"batch": 1000, "epochs": 1},
        {"batch": 46, "epochs": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("build", [linear, mlp], ids=lambda build: build.__name__)
@pytest.mark.verify
def test_training_is_that_of_an_ordinary_loop(trainer: str, settings: Any, build: Build, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, build, **settings)
    check(job, trainer)
    untrained = job.model(0)(job.test.inputs)
    assert (trained(trainer, job)[0][0] - untrained).abs().max() > 1e-3


@pytest.mark.parametrize("batch", [46, 23])
def test_one_example_left_over_joins_the_batch_before_it(batch: int, tmp_path: Path) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(COLUMNS, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, CLASSES))

    check(make_job("cross_entropy", tmp_path, build, batch=batch, epochs=1, seeds=[0]), "loop")
    check(make_job("cross_entropy", tmp_path, batch=batch, epochs=1, seeds=[0]), "stacked")


@TRAINERS
def test_batches_of_one_example_stay_apart(trainer: str, tmp_path: Path) -> None:
    check(make_job("cross_entropy", tmp_path, batch=1, epochs=1, seeds=[0]), trainer, 1e-4)


def test_one_example_left_over_by_gathered_batches_is_trained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, trainer = make_job("cross_entropy", tmp_path, batch=23, epochs=2), component("trainer", "stacked")
    expected = trainer.fit(job).test
    monkeypatch.setattr(sys.modules[type(trainer).__module__], "GATHERED", 1)
    assert torch.equal(trainer.fit(job).test, expected)


@TRAINERS
def test_a_small_gradient_is_divided_by_a_hundredth_at_least(trainer: str, tmp_path: Path) -> None:
    class Faint(Loss):
        """Cross-entropy made small."""

        def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
            return 1e-4 * F.cross_entropy(logits, target, reduction="none")

    job = make_job(Faint(), tmp_path, optimizer="sgd", normalize_gradient=True)
    stronger = make_job("cross_entropy", tmp_path, optimizer="sgd", lr=0.05 * 1e-4 / 0.01)
    for k, (logits, _) in enumerate(trained(trainer, job)):
        torch.testing.assert_close(logits, plain(stronger, k), rtol=1e-5, atol=1e-6)


@pytest.mark.verify
@TRAINERS
@pytest.mark.parametrize(
    "build", [Residual, one_activation, one_layer_twice, tied, frozen, in_place, Gained, convolutions, images]
)
def test_any_network_is_trained_as_it_is_written(trainer: str, build: Build, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, build, weight_decay=0.01, normalize_gradient=True)
    assert component("trainer", "stacked").skip(job) is None
    check(job, trainer, 1e-4)


@TRAINERS
@pytest.mark.parametrize("layer", [Cosine, Halved])
@pytest.mark.parametrize("last", [False, True])
def test_a_layer_of_ones_own_is_not_taken_for_the_one_it_extends(
    trainer: str, layer: type[nn.Linear], last: bool, tmp_path: Path
) -> None:
    def build() -> nn.Module:
        first, second = (nn.Linear, layer) if last else (layer, nn.Linear)
        return nn.Sequential(first(COLUMNS, 6), nn.ReLU(), second(6, CLASSES))

    check(make_job("cross_entropy", tmp_path, build), trainer, 1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_every_lane_has_its_own_learning_rate(optimizer: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, seeds=range(6), lr=[0.1, 0.1, 0.01, 0.1, 0.03, 0.03], optimizer=optimizer)
    check(job, "stacked")


@TRAINERS
def test_validation_logits_are_those_of_the_validation_part(trainer: str, tmp_path: Path) -> None:
    job = alone(make_job("cross_entropy", tmp_path), 1)
    swapped = dataclasses.replace(job, validation=job.test, test=job.validation)
    fit = component("trainer", trainer).fit
    one, other = fit(job), fit(swapped)
    assert one.validation.shape == (1, 13, CLASSES)
    assert torch.equal(one.validation, other.test)
    assert torch.equal(one.test, other.validation)


def test_progress_is_told_after_every_epoch(tmp_path: Path) -> None:
    for trainer in ("stacked", "loop"):
        told: list[tuple[float, float]] = []
        component("trainer", trainer).fit(
            make_job("cross_entropy", tmp_path, seeds=[0], on_progress=lambda a, b, to=told: to.append((a, b)))
        )
        assert told == [(1, 3), (2, 3), (3, 3)]
