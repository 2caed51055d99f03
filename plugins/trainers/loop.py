"""One seed at a time: an ordinary PyTorch loop for any network, on CPU or GPU, that resumes where it stopped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from harness.stock.trainers._fields import Moving
from harness.stock.trainers._inputs import class_counts, forward, reseed, schedule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from harness import Job, Outcome, Part, Trainer, call, hookimpl, wanted


class Loop(Trainer):
    """Trains one seed with DataLoader and torch.optim, with autocast where `amp` is set.

    The batches are those of `stacked`. After every epoch the state is written to the job's folder, whole or not at all;
    a later call goes on from there.
    """

    def fit(self, job: Job) -> Outcome:
        """Train the first seed of the job for the set number of epochs."""
        run = _Run(job)
        for epoch in range(run.resume(), job.settings.epochs):
            run.epoch(epoch)
            run.save(epoch + 1)
            job.report(epoch + 1, job.settings.epochs)
        run.forget()
        return Outcome(
            test=run.logits(job.test), validation=run.logits(job.validation), learned=run.moving.learned(run.free[None])
        )


class _Run:
    """The state of one training run."""

    def __init__(self, job: Job) -> None:
        self.job, self.settings = job, job.settings
        self.moving, self.wants = Moving(job.loss), wanted(job.loss)
        self.model = job.model().to(job.device)
        self.free = self.moving.start.to(job.device).requires_grad_()
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[self.settings.optimizer]
        groups = [
            {"params": list(self.model.parameters()), "weight_decay": self.settings.weight_decay},
            {"params": [self.free], "weight_decay": 0.0},
        ]
        self.optimizer = kind(groups, lr=job.lr[0])
        self.scaler = torch.amp.GradScaler(job.device, enabled=self.settings.amp and job.device == "cuda")
        self.order = job.generator("batches")
        self.layers = job.generator("layers").initial_seed()  # dropout and the like draw from torch's own generator
        self.norm: Tensor | None = None
        self.state = {name: value.to(job.device) for name, value in job.loss.state().items()}
        self.counts = class_counts(job.train.labels, job.classes)[0].to(job.device)
        self.batches = math.ceil(len(job.train.targets) / self.settings.batch)
        self.data = TensorDataset(job.train.inputs, job.train.targets, job.train.index[0])

    def epoch(self, number: int) -> None:
        """One pass over the training part."""
        reseed(self.layers + number, self.job.device)
        self.model.train()
        order = torch.randperm(len(self.data), generator=self.order).tolist()
        for batch, rows in enumerate(DataLoader(self.data, batch_size=self.settings.batch, sampler=order)):
            self.step(*(part.to(self.job.device) for part in rows), number * self.batches + batch, number)

    def step(self, examples: Tensor, labels: Tensor, index: Tensor, step: int, epoch: int) -> None:
        """One optimizer step."""
        progress = step / max(1, self.settings.epochs * self.batches - 1)
        with torch.autocast(self.job.device, enabled=self.settings.amp):
            logits, features = forward(self.model, lambda: _rows(self.model, examples), "features" in self.wants)
        available: dict[str, Any] = {"progress": torch.tensor(progress), "step": step, "epoch": epoch, "index": index}
        available |= {
            "features": None if features is None else features.float().unflatten(0, examples.shape[:-1]),
            "class_counts": self.counts,
            "state": self.state,
        }
        if "generator" in self.wants:
            available["generator"] = self.job.generator(f"loss/{step}")
        loss = self.moving.at(self.free.unbind(0), progress)
        result = call(loss, logits.float(), labels, **{k: v for k, v in available.items() if k in self.wants})
        value, state = result if isinstance(result, tuple) else (result, self.state)
        self.state = {name: tensor.detach() for name, tensor in state.items()}
        self.descend(value.mean(), progress)

    def descend(self, value: Tensor, progress: float) -> None:
        """Gradient, its normalisation if asked, and the step at this progress's learning rate."""
        self.optimizer.zero_grad()
        self.scaler.scale(value).backward()
        if self.settings.normalize_gradient:
            self.scaler.unscale_(self.optimizer)
            self.normalize()
        for group in self.optimizer.param_groups:
            group["lr"] = self.job.lr[0] * schedule(self.settings, progress)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def normalize(self) -> None:
        """Divide the gradient by a running mean of its norm, never by less than 0.01."""
        weights = [p for p in (*self.model.parameters(), self.free) if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p in weights]).norm()
        if self.scaler.is_enabled() and not torch.isfinite(norm):
            return  # the scaler leaves this step out and tries a smaller scale: the mean must not keep it
        self.norm = norm if self.norm is None else 0.9 * self.norm + 0.1 * norm
        for weight in weights:
            weight.grad /= self.norm.clamp(min=0.01)

    @torch.no_grad()
    def logits(self, part: Part) -> Tensor:
        """Logits [1, m, ..., classes] on every example of a part, in evaluation mode."""
        self.model.eval()
        batches = part.inputs.split(max(1024, self.settings.batch))
        return torch.cat([_rows(self.model, batch.to(self.job.device)).float().cpu() for batch in batches])[None]

    @property
    def file(self) -> Path:
        """Where the state is kept between epochs."""
        return self.job.folder / f"lr-{self.job.lr[0]!r}.pt"

    def save(self, done: int) -> None:
        """Keep everything the next epoch needs."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        torch.save(
            {
                "done": done,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": self.scaler.state_dict(),
                "free": self.free.detach(),
                "norm": self.norm,
                "state": self.state,
                "order": self.order.get_state(),
            },
            part,
        )
        part.replace(self.file)

    def resume(self) -> int:
        """Take up what was kept; answers how many epochs are done."""
        if not self.file.exists():
            return 0
        kept = torch.load(self.file, map_location=self.job.device, weights_only=True)
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.scaler.load_state_dict(kept["scaler"])
        with torch.no_grad():
            self.free.copy_(kept["free"])
        self.norm, self.state = kept["norm"], kept["state"]
        self.order.set_state(kept["order"].cpu())
        return kept["done"]

    def forget(self) -> None:
        """Training is over: what was kept is no longer needed."""
        self.file.unlink(missing_ok=True)


def _rows(model: torch.nn.Module, examples: Tensor) -> Tensor:
    """Logits [b, ..., classes] of examples [b, ..., d]; the model sees [rows, d]."""
    return model(examples.flatten(0, -2)).unflatten(0, examples.shape[:-1])


@hookimpl
def components() -> list[type[Trainer]]:
    """What this file brings."""
    return [Loop]
