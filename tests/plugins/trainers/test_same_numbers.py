"""The stack by hand against the same training as torch records it, to the bit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import vmap

from harness import Learned, Loss, TrainingJob, component
from tests.plugins.training import CLASSES, COLUMNS, Build, make_job, mlp

SEEDS = range(32)


class Kept(Loss):
    """Asks for features and rows, and keeps a running mean of the logits."""

    def state(self) -> dict[str, Tensor]:
        return {"mean": torch.zeros(CLASSES), "steps": torch.zeros(())}

    def __call__(self, logits: Tensor, target: Tensor, /, features: Tensor, index: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, reduction="none") + 0.1 * features.square().sum(-1) * (index % 3)

    def with_state(
        self, logits: Tensor, target: Tensor, /, state: Mapping[str, Tensor], features: Tensor, index: Tensor, **_: Any
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        mean = 0.9 * state["mean"] + 0.1 * logits.mean(0)
        value = self(logits - mean, target, features, index) / (1 + state["steps"])
        return value, {"mean": mean, "steps": state["steps"] + 1}


class InPlace(Loss):
    """Changes the logits that it is given."""

    def __call__(self, logits: Tensor, target: Tensor, /) -> Tensor:
        return F.cross_entropy(logits.mul_(2.0), target, reduction="none")


def network(activation: Callable[[], nn.Module]) -> Build:
    def build() -> nn.Module:
        layers = [nn.Linear(COLUMNS, 9), activation(), nn.Linear(9, 8, bias=False), activation(), activation()]
        return nn.Sequential(*layers, nn.Linear(8, CLASSES))

    return build


def half_frozen() -> nn.Module:
    model = mlp()
    assert isinstance(model, nn.Sequential)
    model[0].weight.requires_grad_(False)
    model[2].bias.requires_grad_(False)
    return model


def recorded(job: TrainingJob) -> Tensor:
    """Test logits of every lane: all derivatives recorded by torch, torch.optim on each weight, a gather each step."""
    settings, lanes, models = job.settings, len(job.seeds), [job.model(k) for k in range(len(job.seeds))]
    tensors = {
        name: torch.stack([dict(m.named_parameters())[name].detach() for m in models]).requires_grad_(w.requires_grad)
        for name, w in models[0].named_parameters()
    }
    forward = partial(stacked_forward, models[0], tensors)
    weights = [tensor for tensor in tensors.values() if tensor.requires_grad]
    slices, optimizer = optimizers(job, weights)
    state = {name: value.expand(lanes, *value.shape) for name, value in job.loss.state().items()}
    count, step, running = job.train.index.shape[1], 0, None
    streams = [job.generator("batches", k) for k in range(lanes)]
    total = settings.epochs * math.ceil(count / settings.batch)
    for _ in range(settings.epochs):
        order = torch.stack([torch.randperm(count, generator=stream) for stream in streams])
        for places in order.split(settings.batch, 1):
            logits, features = forward(job.train.inputs_at(places))
            rows = job.train.index.gather(1, places)
            losses, state = vmap(lambda *given: value(job.loss, *given))(
                logits, job.train.targets_at(places), features, rows, state
            )
            state = {name: tensor.detach() for name, tensor in state.items()}
            gradients = torch.autograd.grad(losses.sum(), weights)
            if settings.normalize_gradient:
                gradients, running = normalized(gradients, running)
            for part, views in slices:
                for view, gradient in zip(views, gradients, strict=True):
                    view.grad = gradient[part].contiguous()
            cosine = 0.5 * (1 + math.cos(math.pi * (step / max(1, total - 1))))
            for group in optimizer.param_groups:
                group["lr"] = group["base"] * (cosine if settings.lr_schedule == "cosine" else 1.0)
            optimizer.step()
            step += 1
    with torch.no_grad():
        return forward(job.test.inputs_at(torch.arange(job.test.index.shape[1]).expand(lanes, -1)))[0]


def stacked_forward(model: nn.Module, tensors: dict[str, Tensor], examples: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and the input of the last linear layer, of a sequence of layers with stacked weights."""
    x = features = examples.mT
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            features, weight, bias = x, tensors[f"{name}.weight"], tensors.get(f"{name}.bias")
            x = torch.bmm(weight, x) if bias is None else torch.baddbmm(bias[:, :, None], weight, x)
        elif not isinstance(module, nn.Sequential):
            x = module(x)
    return x.mT, features.mT


def normalized(gradients: Sequence[Tensor], running: Tensor | None) -> tuple[Sequence[Tensor], Tensor]:
    """Gradients of each lane divided by the running mean of its norm, and that mean."""
    lanes = len(gradients[0])
    norm = torch.stack([g.reshape(lanes, -1).square().sum(1) for g in gradients]).sum(0).sqrt()
    running = norm if running is None else 0.9 * running + 0.1 * norm
    return [g / running.clamp(min=0.01).view(-1, *[1] * (g.ndim - 1)) for g in gradients], running


def value(loss: Loss, logits: Tensor, labels: Tensor, features: Tensor, rows: Tensor, state: Any) -> Any:
    if not state:
        return loss(logits, labels).mean(), state
    one, after = loss.with_state(logits, labels, state=state, features=features, index=rows)
    return one.mean(), after


def optimizers(job: TrainingJob, weights: list[Tensor]) -> tuple[list[Any], torch.optim.Optimizer]:
    """Views of the weights for every run of lanes with one learning rate, and one optimizer of them all."""
    slices, groups, start = [], [], 0
    for lr, run in itertools.groupby(job.lr):
        part = slice(start, start + len(list(run)))
        views = [weight.detach()[part] for weight in weights]
        slices.append((part, views))
        groups.append({"params": views, "lr": lr, "base": lr, "weight_decay": job.settings.weight_decay})
        start = part.stop
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[job.settings.optimizer]
    return slices, kind(groups, fused=True)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"weight_decay": 0.1, "normalize_gradient": True},
        {"optimizer": "sgd", "weight_decay": 0.1, "lr_schedule": "cosine"},
        {"lr": [0.05] * 5 + [0.1] * 20 + [0.02] * 7},
    ],
    ids=str,
)
@pytest.mark.parametrize("loss", ["cross_entropy", "hinge", Kept()], ids=str)
def test_same_numbers_for_every_loss_and_setting(loss: Any, settings: Any, tmp_path: Path) -> None:
    job = make_job(loss, tmp_path, network(nn.ReLU), seeds=SEEDS, **settings)
    assert torch.equal(component("trainer", "stacked").fit(job).test, recorded(job))


@pytest.mark.parametrize("loss", ["cross_entropy", Kept()], ids=str)
@pytest.mark.parametrize(
    "build",
    [half_frozen, *(network(a) for a in (nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus))],
)
def test_same_numbers_for_every_network(loss: Any, build: Build, tmp_path: Path) -> None:
    job = make_job(loss, tmp_path, build, seeds=SEEDS, normalize_gradient=True)
    assert torch.equal(component("trainer", "stacked").fit(job).test, recorded(job))


def test_a_loss_may_change_the_logits_in_place(tmp_path: Path) -> None:
    job = make_job(InPlace(), tmp_path, network(nn.ReLU), seeds=SEEDS)
    assert component("trainer", "stacked").skip(job) is None
    torch.testing.assert_close(component("trainer", "stacked").fit(job).test, recorded(job), rtol=1e-4, atol=1e-5)


def test_examples_gathered_for_several_steps_are_those_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, found = component("trainer", "stacked"), []
    module = __import__(type(trainer).__module__, fromlist=["GATHERED"])
    inputs = __import__(module.standardized.__module__, fromlist=["STANDARDIZED"])
    for gathered, standardized in ((1, 0), (1, 1 << 24), (32 * 10 * COLUMNS * 2, 1 << 24), (1 << 30, 0)):
        monkeypatch.setattr(module, "GATHERED", gathered)
        monkeypatch.setattr(inputs, "STANDARDIZED", standardized)
        found.append(trainer.fit(make_job(Kept(), tmp_path, seeds=SEEDS)).test)
    assert all(torch.equal(found[0], other) for other in found[1:])


def test_learned_fields_are_mapped_as_vmap_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = component("trainer", "stacked")
    module = __import__(type(trainer).__module__, fromlist=["over_lanes"])
    loss = component("loss", "focal", gamma=Learned(2.0))
    one = trainer.fit(make_job(loss, tmp_path, seeds=SEEDS))
    monkeypatch.setattr(module, "over_lanes", lambda function: vmap(function, randomness="different"))
    other = trainer.fit(make_job(loss, tmp_path, seeds=SEEDS))
    assert torch.equal(one.test, other.test)
    assert one.learned == other.learned
    assert set(one.learned) == {"gamma"}
