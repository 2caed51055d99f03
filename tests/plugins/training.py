"""Small training jobs, and the plain PyTorch loop that says what a trainer should make of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness import Subset, TrainingJob, component

CLASSES, COLUMNS, ROWS, SEEDS = 3, 5, 120, 32
Build = Callable[[], nn.Module]
Value = Callable[..., Tensor]


def cross_entropy(logits: Tensor, target: Tensor, **_: Any) -> Tensor:
    return F.cross_entropy(logits, target)


def linear() -> nn.Module:
    return nn.Linear(COLUMNS, CLASSES)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(COLUMNS, 8), nn.ReLU(), nn.Linear(8, CLASSES))


class Residual(nn.Module):
    """Layers that are no sequence: a norm, a skip connection, a buffer, a weight used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(COLUMNS, CLASSES)
        self.norm = nn.LayerNorm(COLUMNS)
        self.body = nn.Linear(COLUMNS, COLUMNS)
        self.register_buffer("scale", torch.tensor(2.0))

    def features(self, x: Tensor) -> Tensor:
        for _ in range(2):
            x = x + torch.tanh(self.body(self.norm(x))) * self.scale
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))  # type: ignore[no-any-return]


def parts() -> Iterator[Subset]:
    """47 training, 13 validation and 21 test rows of one table, other rows and another standardization each seed."""
    draw = torch.Generator().manual_seed(3)
    table = torch.randn(ROWS, COLUMNS, generator=draw)
    labels = (table @ torch.randn(COLUMNS, CLASSES, generator=draw)).argmax(1)
    rows = torch.stack([torch.randperm(ROWS, generator=draw)[:81] for _ in range(SEEDS)])
    shift, scale = torch.rand(SEEDS, COLUMNS, generator=draw), 0.5 + torch.rand(SEEDS, COLUMNS, generator=draw)
    for index in rows.split([47, 13, 21], 1):
        yield Subset(table, index, labels[index], shift, scale)


def make_job(
    loss: Any,
    folder: Path,
    build: Build = mlp,
    *,
    seeds: Sequence[int] = (0, 2),
    lr: float | Sequence[float] = 0.05,
    on_progress: Callable[..., None] = lambda *_: None,
    **settings: Any,
) -> TrainingJob:
    """A job; `loss` is a component or the name of a stock one. Batches of 10: the fifth of an epoch has 7 examples."""

    def model(k: int = 0) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1000 + seeds[k])
            return build()

    train, validation, test = (take(part, list(seeds)) for part in parts())
    return TrainingJob(
        loss=component("loss", loss) if isinstance(loss, str) else loss,
        model=model,
        train=train,
        validation=validation,
        test=test,
        classes=CLASSES,
        settings=component("protocol", "accuracy", **{"epochs": 3, "batch": 10, **settings}),
        seeds=seeds,
        lr=[lr] * len(seeds) if isinstance(lr, float) else lr,
        generator=lambda name, k=0: torch.Generator().manual_seed(hash_of(f"{seeds[k]} {name}")),
        device="cpu",
        folder=folder,
        on_progress=on_progress,
    )


def take(part: Subset, seeds: list[int]) -> Subset:
    """Some of a part's seeds."""
    assert part.shift is not None
    assert part.scale is not None
    return Subset(part.table, part.index[seeds], part.labels[seeds], part.shift[seeds], part.scale[seeds])


def hash_of(text: str) -> int:
    return sum(byte * 131**place for place, byte in enumerate(text.encode())) % 2**62


def examples(part: Subset, k: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """(inputs, labels) of some examples of a part for the k-th seed."""
    assert part.shift is not None
    assert part.scale is not None
    return (part.table[part.index[k]][places] - part.shift[k]) * part.scale[k], part.labels[k][places]


def plain(
    job: TrainingJob,
    k: int,
    value: Value = cross_entropy,
    scheduled: Callable[[Any], Any] | None = None,
    by_step: bool = True,
    after: Callable[[int, nn.Module], None] = lambda *_: None,
    augmented: Callable[[Tensor, int], Tensor] = lambda inputs, _: inputs,
) -> Tensor:
    """Test logits [m, classes] after the k-th seed's training, by an ordinary loop over torch.nn and torch.optim.

    `value(logits, target, step=, epoch=, progress=, rows=, inputs=, model=)` is the mean loss; `scheduled` makes a
    scheduler of an optimizer, for every step or every epoch; `after(epoch, model)` is called after every epoch;
    `augmented(inputs, step)` gives the inputs of a step.
    """
    model, settings = job.model(k).train(), job.settings
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[settings.optimizer]
    optimizer: Any = kind(weights, lr=job.lr[k], weight_decay=settings.weight_decay)
    count = job.train.index.shape[1]
    total = settings.epochs * len(parted(torch.arange(count), settings.batch))
    if scheduled is None and settings.lr_schedule == "cosine":
        scheduled = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=max(1, total - 1))
    scheduler = scheduled(optimizer) if scheduled else None
    order, step, running = job.generator("batches", k), 0, None
    for epoch in range(settings.epochs):
        for places in parted(torch.randperm(count, generator=order), settings.batch):
            x, y = examples(job.train, k, places)
            x = augmented(x, step)
            rows, progress = job.train.index[k][places], step / max(1, total - 1)
            optimizer.zero_grad()
            value(model(x), y, step=step, epoch=epoch, progress=progress, rows=rows, inputs=x, model=model).backward()
            if settings.normalize_gradient:
                norm = math.sqrt(sum(float(w.grad.double().square().sum()) for w in weights))
                running = norm if running is None else 0.9 * running + 0.1 * norm
                for weight in weights:
                    weight.grad = weight.grad / max(running, 0.01)
            optimizer.step()
            if scheduler and by_step:
                scheduler.step()
            step += 1
        if scheduler and not by_step:
            scheduler.step()
        after(epoch, model)
    with torch.no_grad():
        return model.eval()(examples(job.test, k, torch.arange(job.test.index.shape[1]))[0])  # type: ignore[no-any-return]


def parted(order: Tensor, size: int) -> list[Tensor]:
    """Batches of an epoch: a last one of a single example, after others of several, is part of the one before."""
    parts = list(order.split(size))
    return [*parts[:-2], torch.cat(parts[-2:])] if len(parts) > 1 and size > len(parts[-1]) == 1 else parts


def alone(job: TrainingJob, k: int) -> TrainingJob:
    """The job of the k-th seed alone."""
    return dataclasses.replace(
        job,
        train=take(job.train, [k]),
        validation=take(job.validation, [k]),
        test=take(job.test, [k]),
        seeds=[job.seeds[k]],
        lr=[job.lr[k]],
        model=lambda _=0: job.model(k),
        generator=lambda name, _=0: job.generator(name, k),
    )


def trained(trainer: str, job: TrainingJob) -> list[Any]:
    """The outcome of every seed: all at once by `stacked`, one after another by `loop`."""
    if trainer == "stacked":
        outcome = component("trainer", "stacked").fit(job)
        return [(outcome.test[k], {name: v[k] for name, v in outcome.learned.items()}) for k in range(len(job.seeds))]
    outcomes = [component("trainer", trainer).fit(alone(job, k)) for k in range(len(job.seeds))]
    return [(o.test[0], {name: v[0] for name, v in o.learned.items()}) for o in outcomes]
