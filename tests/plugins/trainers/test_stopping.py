"""Early stopping on the validation part, against an ordinary loop that keeps every epoch's weights."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Learned, LinearSchedule, Loss, Subset, TrainingJob, component
from tests.plugins.training import CLASSES, COLUMNS, alone, examples, make_job, plain

TRAINERS = pytest.mark.parametrize("trainer", ["stacked", "loop"])
SETTINGS = {"epochs": 30, "lr": 0.1, "patience": 2}


class Asking(Loss):
    """Cross-entropy that asks for all that a trainer can give, with a scheduled field and a state."""

    weight: float = LinearSchedule(3.0, 1.0)  # type: ignore[assignment]

    def state(self) -> dict[str, Tensor]:
        return {"seen": torch.zeros(())}

    def __call__(self, logits: Tensor, target: Tensor, /, **inputs: Any) -> Tensor:
        return self.with_state(logits, target, self.state(), **inputs)[0]

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], *, features: Tensor, index: Tensor,
        class_counts: Tensor, progress: Tensor, step: int, epoch: int, generator: torch.Generator,
    ) -> tuple[Tensor, Mapping[str, Tensor]]:  # fmt: skip
        noise = torch.rand((), generator=generator)
        more = 0.01 * features.square().mean(-1) + 0.001 * (index % 2) + noise * progress * step * epoch * 1e-3
        value = self.weight * F.cross_entropy(logits, target, class_counts / class_counts.sum(), reduction="none")
        return value + more, {"seen": state["seen"] + 1}


def best(job: TrainingJob, k: int) -> tuple[int, Tensor]:
    """The epoch to keep, from 1, and its test logits, by the validation losses of all epochs."""
    losses: list[float] = []
    models: list[nn.Module] = []
    inputs, labels = examples(job.validation, k, torch.arange(job.validation.index.shape[1]))

    def after(_: int, model: nn.Module) -> None:
        kept = copy.deepcopy(model).eval()
        with torch.no_grad():
            losses.append(float(F.cross_entropy(kept(inputs), labels)))
        models.append(kept)

    plain(job, k, after=after)
    chosen = 0
    for epoch, loss in enumerate(losses):
        if epoch - chosen > job.settings.patience:
            break
        if loss < losses[chosen]:
            chosen = epoch
    with torch.no_grad():
        return chosen + 1, models[chosen](examples(job.test, k, torch.arange(job.test.index.shape[1]))[0])


@pytest.mark.verify
@TRAINERS
@pytest.mark.parametrize("patience", [1, 3])
def test_the_weights_kept_are_those_of_the_best_epoch_so_far(trainer: str, patience: int, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, seeds=range(4), **(SETTINGS | {"patience": patience}))
    parts = [job] if trainer == "stacked" else [alone(job, k) for k in range(4)]
    found = [component("trainer", trainer).fit(part) for part in parts]
    epochs = [epoch for one in found for epoch in one.epochs]
    expected = [best(job, k) for k in range(4)]
    assert epochs == [epoch for epoch, _ in expected]
    assert len(set(epochs)) > 1, "the seeds should differ, or this says little"
    assert max(epochs) < SETTINGS["epochs"] - patience
    torch.testing.assert_close(
        torch.cat([one.test for one in found]), torch.stack([logits for _, logits in expected]), rtol=1e-4, atol=1e-4
    )


@TRAINERS
def test_training_ends_when_no_seed_improves(trainer: str, tmp_path: Path) -> None:
    told: list[float] = []
    job = make_job("cross_entropy", tmp_path, seeds=[0], on_progress=lambda done, _: told.append(done), **SETTINGS)
    (epoch,) = component("trainer", trainer).fit(job).epochs
    assert told == [*range(1, epoch + SETTINGS["patience"] + 1)]


@TRAINERS
def test_without_patience_every_epoch_counts(trainer: str, tmp_path: Path) -> None:
    assert component("trainer", trainer).fit(make_job("cross_entropy", tmp_path, seeds=[0])).epochs == ()


@pytest.mark.verify
@TRAINERS
def test_the_test_part_has_no_say(trainer: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, seeds=[1], **SETTINGS)
    odd = Subset(torch.full_like(job.test.table, math.nan), job.test.index, job.test.labels)
    one, other = (component("trainer", trainer).fit(j) for j in (job, dataclasses.replace(job, test=odd)))
    assert one.epochs == other.epochs
    assert torch.equal(one.validation, other.validation)
    assert other.test.isnan().all()


@pytest.mark.verify
def test_both_trainers_stop_alike_under_a_loss_that_asks_for_everything(tmp_path: Path) -> None:
    job = make_job(Asking(), tmp_path, seeds=range(3), **SETTINGS)
    assert component("trainer", "stacked").skip(job) is None
    together = component("trainer", "stacked").fit(job)
    apart = [component("trainer", "loop").fit(alone(job, k)) for k in range(3)]
    assert list(together.epochs) == [epoch for one in apart for epoch in one.epochs]
    torch.testing.assert_close(together.test, torch.cat([one.test for one in apart]), rtol=1e-3, atol=1e-3)


@pytest.mark.verify
@TRAINERS
def test_learned_fields_are_those_of_the_kept_epoch(trainer: str, tmp_path: Path) -> None:
    loss = component("loss", "scaled", loss="cross_entropy", temperature=Learned(1.0))
    found = component("trainer", trainer).fit(make_job(loss, tmp_path, seeds=[0], **SETTINGS))
    (epoch,) = found.epochs
    short = component("trainer", trainer).fit(make_job(loss, tmp_path, seeds=[0], **(SETTINGS | {"epochs": epoch})))
    assert found.learned == short.learned
    assert torch.equal(found.test, short.test)


@TRAINERS
def test_a_seed_that_diverges_keeps_its_first_epoch(trainer: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, seeds=[0], **(SETTINGS | {"lr": math.inf}))
    found = component("trainer", trainer).fit(job)
    assert found.epochs == [1]
    assert found.test.isnan().all()


@TRAINERS
def test_without_a_validation_part_nothing_is_trained(trainer: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, seeds=[0], **SETTINGS)
    empty = job.validation.index[:, :0]
    none = Subset(job.validation.table, empty, empty, job.validation.shift, job.validation.scale)
    reason = component("trainer", trainer).skip(dataclasses.replace(job, validation=none))
    assert reason == "the data set has no validation part, by which patience would stop"


@pytest.mark.verify
def test_an_interrupted_training_stops_at_the_same_epoch(tmp_path: Path) -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(COLUMNS, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, CLASSES))

    class Stop(Exception):
        pass

    def stop(at: int, done: float, _: float) -> None:
        if done == at:
            raise Stop

    whole = component("trainer", "loop").fit(make_job("cross_entropy", tmp_path / "a", build, seeds=[0], **SETTINGS))
    for at in (1, whole.epochs[0], whole.epochs[0] + 1, whole.epochs[0] + 2):
        torn = make_job("cross_entropy", tmp_path / "b", build, seeds=[0], on_progress=partial(stop, at), **SETTINGS)
        with pytest.raises(Stop):
            component("trainer", "loop").fit(torn)
        resumed = component("trainer", "loop").fit(dataclasses.replace(torn, on_progress=lambda *_: None))
        assert resumed.epochs == whole.epochs
        assert torch.equal(resumed.test, whole.test)
