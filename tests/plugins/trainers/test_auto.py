"""Which trainer `auto` takes, and the reason it gives."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Loss, component
from tests.plugins.training import CLASSES, COLUMNS, Build, make_job, mlp


class Branching(Loss):
    """Looks at the numbers before it decides."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, target)
        return loss if loss > 1 else 2 * loss


class Scheduled(Loss):
    """Looks at progress only, which is the same for every lane."""

    def __call__(self, logits: Tensor, target: Tensor, progress: Tensor) -> Tensor:
        return F.cross_entropy(logits, target) * (1 if progress < 0.5 else 2)


class Jittering(Loss):
    """Scaled by a draw of a generator that all lanes would share, at the first step or only later."""

    numpy: bool = False
    late: bool = False

    def __call__(self, logits: Tensor, target: Tensor, step: int) -> Tensor:
        if self.late and step == 0:
            return F.cross_entropy(logits, target)
        return F.cross_entropy(logits, target) * (numpy.random.normal() if self.numpy else random.random())


class Sampling(Loss):
    """Scaled by a draw of torch, which every lane has for itself."""

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target) * torch.rand(())


class Counter(nn.Module):
    """Logits that depend on how often it was trained."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.head = nn.Linear(COLUMNS, CLASSES)
        self.in_place = in_place
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls = self.calls.add_(1) if self.in_place else self.calls + 1
        return self.head(x) / (1 + self.calls)


def around(layer: Any) -> Build:
    return lambda: nn.Sequential(nn.Linear(COLUMNS, 8), layer(), nn.Linear(8, CLASSES))


def conv() -> nn.Module:
    return nn.Sequential(nn.Unflatten(1, (1, COLUMNS)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 3, CLASSES))


def wide_conv() -> nn.Module:
    """A convolution with 1400 * 5 numbers for each of ten examples."""
    layers = [nn.Unflatten(1, (1, COLUMNS)), nn.Conv1d(1, 1400, 1), nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1400, CLASSES))


def functional_dropout() -> nn.Module:
    class Dropping(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return F.dropout(super().forward(x), 0.5, self.training)

    return Dropping(COLUMNS, CLASSES)


def hooked() -> nn.Module:
    model = mlp()
    assert isinstance(model, nn.Sequential)
    model[0].register_forward_hook(lambda module, arguments, output: output * 3)
    return model


def shaken() -> nn.Module:
    class Shaking(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * random.random()

    return Shaking(COLUMNS, CLASSES)


def called(value: object) -> str:
    """A test's part of its name, the same in every process."""
    return getattr(value, "__qualname__", str(value))


@pytest.mark.parametrize(
    ("loss", "build", "reason"),
    [
        ("focal", around(nn.Dropout), "layer 1 (Dropout)"),
        ("focal", around(lambda: nn.BatchNorm1d(8)), "layer 1 (BatchNorm1d)"),
        ("focal", wide_conv, "stacking pays up to 65,536 numbers from convolutions in a step, the model has 70,000"),
        ("focal", lambda: nn.Sequential(nn.Sequential(mlp(), nn.Dropout())), "layer 0.1 (Dropout)"),
        ("focal", lambda: nn.Sequential(nn.Linear(COLUMNS, 30_000), nn.Linear(30_000, CLASSES)), "stacking pays"),
        ("focal", lambda: Counter(True), "buffer calls"),
        ("focal", lambda: Counter(False), "buffer calls"),
        ("focal", functional_dropout, "torch.func cannot map it"),
        ("focal", hooked, "other logits"),
        (Branching(), mlp, "torch.func cannot map it"),
        (Jittering(), mlp, "draws from random: stacked seeds would share a draw"),
        (Jittering(late=True), mlp, "draws from random: stacked seeds would share a draw"),
        (Jittering(numpy=True), mlp, "draws from numpy.random: stacked seeds would share a draw"),
        (Jittering(numpy=True, late=True), mlp, "draws from numpy.random: stacked seeds would share a draw"),
        ("focal", shaken, "other logits"),
    ],
    ids=called,
)
def test_loop_is_taken_with_the_reason(loss: Any, build: Build, reason: str, tmp_path: Path) -> None:
    job = make_job(loss, tmp_path, build, seeds=[0], epochs=2)
    chosen, why = component("trainer", "auto").resolve(job)
    assert repr(chosen) == "loop"
    assert why is not None
    assert why.startswith("trainer loop: ")
    assert reason in why
    assert "\n" not in why
    stacked = component("trainer", "stacked").skip(job)
    assert (stacked is None) == reason.startswith("stacking pays")
    outcome = component("trainer", "auto").fit(job)
    assert torch.isfinite(outcome.test).all()


@pytest.mark.parametrize(
    ("loss", "build"),
    [
        ("focal", mlp),
        (Scheduled(), mlp),
        (Sampling(), mlp),
        ("hinge", around(nn.Softsign)),
        ("focal", conv),
        ("brier", around(lambda: nn.GroupNorm(2, 8))),
        ("nll", lambda: nn.Sequential(nn.Linear(COLUMNS, 20_000), nn.Linear(20_000, CLASSES))),
    ],
    ids=called,
)
def test_stacked_is_taken_where_it_works_and_pays(loss: Any, build: Build, tmp_path: Path) -> None:
    chosen, why = component("trainer", "auto").resolve(make_job(loss, tmp_path, build, seeds=[0]))
    assert repr(chosen) == "stacked"
    assert why is not None
    assert "trainer stacked" in why


def test_mixed_precision_is_for_loop(tmp_path: Path) -> None:
    chosen, why = component("trainer", "auto").resolve(make_job("focal", tmp_path, amp=True))
    assert repr(chosen) == "loop"
    assert "amp" in str(why)


def test_stacked_says_where_it_does_not_pay(tmp_path: Path) -> None:
    stacked = component("trainer", "stacked")
    chosen, why = stacked.resolve(make_job("focal", tmp_path, wide_conv))
    assert chosen is stacked
    assert why == (
        "trainer loop would be as fast: stacking pays up to 65,536 numbers from convolutions in a step, the model has "
        "70,000"
    )
    for build, settings in ((conv, {}), (mlp, {}), (wide_conv, {"batch": 9})):
        assert stacked.resolve(make_job("focal", tmp_path, build, **settings)) == (stacked, None)


def test_looking_leaves_no_trace(tmp_path: Path) -> None:
    job = make_job("focal", tmp_path, seeds=range(3))
    stacked = component("trainer", "stacked")
    before = stacked.fit(job).test
    torch.manual_seed(5)
    state = torch.get_rng_state()
    assert stacked.skip(job) is None
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(stacked.fit(job).test, before)
    assert not list(tmp_path.iterdir())


def test_a_seed_that_shares_no_draw_is_trained_as_by_itself(tmp_path: Path) -> None:
    trainer, _ = component("trainer", "auto").resolve(make_job(Jittering(), tmp_path, seeds=[0]))
    made = [trainer.fit(make_job(Jittering(), tmp_path, seeds=[seed])).test for seed in (0, 2, 2)]
    assert not torch.equal(made[0], made[1]) and torch.equal(made[1], made[2])
