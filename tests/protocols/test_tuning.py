"""Tuning: which trial is taken, on which seeds and data, and how its fields reach the components."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import ClassVar

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import BenchError, Loss, Metric, Trainer, TrainingJob, TrainingResult, component

from .sessions import BLOCK, NOTED, Noting, Spy, confidence, nll_of, open_session, table


@pytest.fixture(autouse=True)
def _no_jobs() -> None:
    Spy.jobs.clear()


@pytest.mark.verify
@pytest.mark.parametrize("metric", ["nll", "accuracy"])
def test_tuning_takes_the_trial_that_is_best_on_validation_data(metric: str, tmp_path: Path) -> None:
    rates = [0.1, 0.37, 0.52, 0.8, 0.95, 1.3, 1.7]
    plan = {"metric": metric, "seeds": 3, "trials": [{"lr": lr} for lr in rates]}
    chosen = open_session(tmp_path, trainer=Spy(), tune=plan).tune()
    means = [numpy.mean([nll_of(confidence("validation", seed, lr)) for seed in (-1, -2, -3)]) for lr in rates]
    right = [numpy.mean([confidence("validation", seed, lr) > 0 for seed in (-1, -2, -3)]) for lr in rates]
    if metric == "nll":
        assert [trial["score"] for trial in chosen["trials"]] == pytest.approx(means, rel=1e-5)
        assert chosen["tuned"] == {"lr": rates[int(numpy.argmin(means))]}
        on_test = [numpy.mean([nll_of(confidence("test", seed, lr)) for seed in (-1, -2, -3)]) for lr in rates]
        assert numpy.argmin(on_test) != numpy.argmin(means)
    else:
        assert [trial["score"] for trial in chosen["trials"]] == pytest.approx(right)
        assert 1 < right.count(max(right)) < len(rates)
        assert chosen["tuned"] == {"lr": rates[right.index(max(right))]}  # the first of equals
    assert [trial["lr"] for trial in chosen["trials"]] == rates


def test_tuning_seeds_are_never_among_the_compared(tmp_path: Path) -> None:
    plan = {"metric": "nll", "seeds": 5, "trials": [{"lr": 0.1}, {"lr": 0.2}]}
    open_session(tmp_path, trainer=Spy(), tune=plan).tune()
    assert {seed for job in Spy.jobs for seed in job.seeds} == {-1, -2, -3, -4, -5}
    assert all(len(job.seeds) == 4 for job in Spy.jobs)
    asked = [(seed, lr) for job in Spy.jobs for seed, lr in zip(job.seeds, job.lr, strict=True)]
    assert set(asked) == {(-1 - k, lr) for k in range(5) for lr in (0.1, 0.2)}
    assert len(Spy.jobs) == 3  # 10 lanes in blocks of 4


@pytest.mark.verify
@pytest.mark.parametrize("trainer", ["stacked", "loop"])
def test_tuning_agrees_with_training_every_trial_for_itself(trainer: str, tmp_path: Path) -> None:
    rates = [1e-4, 0.3, 0.03]
    plan = {"metric": "nll", "seeds": 2, "trials": [{"lr": lr} for lr in rates]}
    chosen = open_session(tmp_path, trainer=trainer, tune=plan).tune()
    scores = []
    for lr in rates:
        own: list[float] = []
        session = open_session(tmp_path, trainer=Noting(), lr=lr)
        session.measure([-1, -2], {})
        outcome, job = NOTED[-1]
        for k in range(2):
            assert outcome.validation is not None
            own.append(float(F.cross_entropy(outcome.validation[k].double(), job.validation.labels[k])))
        scores.append(numpy.mean(own))
    assert [trial["score"] for trial in chosen["trials"]] == pytest.approx(scores, rel=1e-4)
    assert chosen["tuned"] == {"lr": rates[int(numpy.argmin(scores))]}


@pytest.mark.verify
def test_the_choice_does_not_depend_on_what_is_measured(tmp_path: Path) -> None:
    plan = {"metric": "nll", "seeds": 2, "trials": [{"lr": 0.01}, {"lr": 0.1}]}
    first = open_session(tmp_path / "a", tune=plan).tune()
    session = open_session(tmp_path / "b", tune=plan)
    before = session.measure(BLOCK, {"lr": 0.01})
    assert session.tune() == first
    assert session.measure(BLOCK, {"lr": 0.01}).metrics == before.metrics
    assert open_session(tmp_path / "c").measure(BLOCK, first["tuned"]).metrics != before.metrics


class Powered(Loss):
    """Cross-entropy to a power, with another loss inside."""

    inner: Loss
    power: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return self.inner(logits, target) ** self.power


def test_tuned_fields_reach_the_loss_and_share_blocks(tmp_path: Path) -> None:
    trials = [{"lr": lr, "powered.power": p} for lr in (0.1, 0.2) for p in (2.0, 3.0, {"learn": 2.5})]
    loss = Powered(inner=component("loss", "nll"))
    session = open_session(tmp_path, loss=loss, trainer=Spy(), tune={"metric": "nll", "seeds": 2, "trials": trials})
    chosen = session.tune()
    assert [repr(job.loss) for job in Spy.jobs] == [
        f"powered(inner=nll, power={power})" for power in ("2.0", "3.0", "learn(2.5)")
    ]
    assert [list(job.lr) for job in Spy.jobs] == [[0.1, 0.1, 0.2, 0.2]] * 3
    assert [{k: v for k, v in trial.items() if k != "score"} for trial in chosen["trials"]] == trials
    json.dumps(chosen, allow_nan=False)
    session.measure([0, 1, 2, 3], chosen["tuned"])
    assert list(Spy.jobs[-1].lr) == [chosen["tuned"]["lr"]] * 4


def test_a_field_of_a_loss_named_by_an_import_path_can_be_tuned(tmp_path: Path) -> None:
    loss = component("loss", "torch.nn.functional:cross_entropy")
    trials = [{"torch.nn.functional:cross_entropy.label_smoothing": value} for value in (0.1, 0.2)]
    open_session(tmp_path, loss=loss, trainer=Spy(), tune={"metric": "nll", "seeds": 4, "trials": trials}).tune()
    assert [job.loss.label_smoothing for job in Spy.jobs] == [0.1, 0.2]  # type: ignore[attr-defined]


class Failing(Trainer):
    """Zero logits; with a rate above 0.5 such that their nll is no number, or infinite."""

    infinite: bool = False

    def fit(self, job: TrainingJob) -> TrainingResult:
        """The logits."""
        labels = job.validation.labels
        wrong = -3e38 * F.one_hot(labels, 3) if self.infinite else torch.full((*labels.shape, 3), torch.nan)
        return TrainingResult(validation=wrong if job.lr[0] > 0.5 else torch.zeros(wrong.shape))


@pytest.mark.verify
@pytest.mark.parametrize("infinite", [False, True])
@pytest.mark.parametrize("rates", [[0.9, 0.1], [0.1, 0.9]])
def test_a_trial_without_a_number_is_never_taken(infinite: bool, rates: list[float], tmp_path: Path) -> None:
    plan = {"metric": "infinity", "seeds": 1, "trials": [{"lr": lr} for lr in rates]}
    session = open_session(tmp_path, trainer=Failing(infinite=infinite), tune=plan, metrics={"infinity": Surprise()})
    chosen = session.tune()
    assert chosen["tuned"] == {"lr": 0.1}
    scores = {trial["lr"]: trial["score"] for trial in chosen["trials"]}
    assert scores == {0.9: None, 0.1: pytest.approx(math.log(3))}
    json.dumps(chosen, allow_nan=False)


class Surprise(Metric):
    """-log p without any care."""

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor) -> Tensor:
        return -probabilities.gather(1, target[:, None])[:, 0].log()


def test_nothing_is_tuned_without_a_plan_or_without_validation_examples(tmp_path: Path) -> None:
    assert open_session(tmp_path).tune()["tuned"] == {}
    part = torch.arange(90) % 2 * 2
    plan = {"metric": "nll", "seeds": 1, "trials": [{"lr": 0.1}, {"lr": 0.2}]}
    session = open_session(tmp_path, data=table(part=part), tune=plan, trainer="loop")
    with pytest.raises(BenchError, match="validation"):
        session.tune()
    assert len(session.measure([0], {}).metrics["nll"]) == 1
