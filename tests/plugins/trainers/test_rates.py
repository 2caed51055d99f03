"""Learning rates by name: both trainers against torch's own schedulers on an ordinary loop."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from harness import BenchError, component
from tests.conftest import Bench
from tests.plugins.training import make_job, plain, trained

LR, STEPS, EPOCHS = 0.05, 5, 4
TRAINERS = pytest.mark.parametrize("trainer", ["stacked", "loop"])


def warmed(optimizer: Any) -> Any:
    """Half an epoch and more, three steps, of warm-up below a cosine."""
    rising = lr_scheduler.LinearLR(optimizer, start_factor=1 / 3, total_iters=2)
    return lr_scheduler.ChainedScheduler([rising, lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * STEPS - 1)])


SCHEDULES = pytest.mark.parametrize(
    ("settings", "scheduled", "by_step"),
    [
        ({"lr_schedule": {"StepLR": {"step_size": 2}}}, partial(lr_scheduler.StepLR, step_size=2), False),
        ({"lr_schedule": {"MultiStepLR": {"milestones": [1, 3], "gamma": 0.5}}},
         partial(lr_scheduler.MultiStepLR, milestones=[1, 3], gamma=0.5), False),
        ({"lr_schedule": {"LinearLR": {"start_factor": 0.1, "total_iters": 2}}},
         partial(lr_scheduler.LinearLR, start_factor=0.1, total_iters=2), False),
        ({"lr_schedule": "CosineAnnealingLR"}, partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS), False),
        ({"lr_schedule": {"CosineAnnealingLR": {"eta_min": 0.1}}},
         partial(lr_scheduler.CosineAnnealingLR, T_max=EPOCHS, eta_min=0.1 * LR), False),
        ({"lr_schedule": "OneCycleLR"},
         partial(lr_scheduler.OneCycleLR, max_lr=LR, total_steps=EPOCHS * STEPS, cycle_momentum=False), True),
        ({"lr_schedule": {"CyclicLR": {"base_lr": 0.1, "max_lr": 2, "step_size_up": 3}}},
         partial(lr_scheduler.CyclicLR, base_lr=0.1 * LR, max_lr=2 * LR, step_size_up=3, cycle_momentum=False), True),
        ({"lr_schedule": "cosine", "warmup_epochs": 0.6}, warmed, True),
    ],
    ids=lambda each: str(each) if isinstance(each, dict) else "",
)  # fmt: skip


@SCHEDULES
def test_factors_are_the_rates_of_torch(settings: Any, scheduled: Any, by_step: bool, tmp_path: Path) -> None:
    trainer = sys.modules[type(component("trainer", "loop")).__module__]
    job = make_job("cross_entropy", tmp_path, epochs=EPOCHS, seeds=[0], **settings)
    factor = trainer.Rates(job.settings, STEPS)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = scheduled(optimizer)
    for step in range(EPOCHS * STEPS):
        assert LR * factor(step) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9, abs=1e-12), step
        optimizer.step()
        if by_step or (step + 1) % STEPS == 0:
            scheduler.step()


@pytest.mark.verify
@TRAINERS
@SCHEDULES
def test_a_scheduler_by_name_is_that_of_torch(
    trainer: str, settings: Any, scheduled: Any, by_step: bool, tmp_path: Path
) -> None:
    job = make_job("cross_entropy", tmp_path, epochs=EPOCHS, lr=LR, seeds=[2], optimizer="sgd", **settings)
    expected = plain(job, 0, scheduled=scheduled, by_step=by_step)
    ((logits, _),) = trained(trainer, job)
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)
    constant = make_job("cross_entropy", tmp_path, epochs=EPOCHS, lr=LR, seeds=[2], optimizer="sgd")
    assert (logits - plain(constant, 0)).abs().max() > 1e-3


@TRAINERS
@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ({"StepLR": {"stepsize": 2}}, "StepLR has no argument 'stepsize', did you mean step_size"),
        ("StepLR", "StepLR: TypeError"),
        ({"OneCycleLR": {"total_steps": 3}}, "OneCycleLR: ValueError"),
        ({"OneCycleLR": {"cycle_momentum": True}}, "OneCycleLR has no argument 'cycle_momentum'"),
        (
            {"StepLR": {"step_size": 1}, "LinearLR": {}},
            "expected one scheduler and its arguments, got StepLR, LinearLR",
        ),
        ({"StepLR": 3}, "the arguments of StepLR are a mapping"),
    ],
    ids=str,
)
def test_wrong_arguments_of_a_scheduler_are_one_line(trainer: str, schedule: Any, says: str, tmp_path: Path) -> None:
    job = make_job("cross_entropy", tmp_path, lr_schedule=schedule, seeds=[0])
    with pytest.raises(BenchError) as raised:
        component("trainer", trainer).skip(job)
        component("trainer", trainer).fit(job)
    assert str(raised.value).startswith("lr_schedule: ") and says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("schedule", ["cosin", {"SteppLR": {"step_size": 1}}, {"LambdaLR": {}}, "ReduceLROnPlateau"])
def test_other_schedulers_are_refused(schedule: Any, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="lr_schedule: expected one of constant, cosine, StepLR"):
        make_job("cross_entropy", tmp_path, lr_schedule=schedule)


@pytest.mark.verify
def test_a_misspelt_scheduler_is_a_mistake_of_the_suite(bench: Bench) -> None:
    suite = "protocol: accuracy\nvary: {dataset: iris, loss: hinge}\nmetrics: accuracy\nsettings: {lr_schedule: %s}\n"
    for schedule, near in (("{SteppLR: {step_size: 1}}", "StepLR"), ("cosin", "cosine")):
        bench.write("s.yaml", suite % schedule)
        ended = bench("validate", "s.yaml")
        assert ended.code == 2
        assert "s.yaml:4:25: lr_schedule: expected one of constant, cosine, StepLR" in ended.err
        assert f"did you mean {near}?" in ended.err
    bench.write("s.yaml", suite % "[constant, {StepLR: {step_size: 1}}, OneCycleLR]")
    assert bench("validate", "s.yaml").out.startswith("s.yaml: 3 cells")
