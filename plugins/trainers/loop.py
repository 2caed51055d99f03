"""One seed at a time: an ordinary PyTorch loop for any network, on CPU or GPU, that resumes where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from harness import Subset, Trainer, TrainingJob, TrainingResult, hookimpl, requested_inputs

from ._fields import Moving
from ._inputs import batches, class_counts, forward, reseed, schedule, stepped


class Loop(Trainer):
    """Trains one seed at a time with DataLoader and torch.optim.

    With autocast where `amp` is set. The batches are those of `stacked`. After every epoch the state is written to the
    job's folder, whole or not at all; a later call resumes from there.
    """

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train the first seed of the job for the set number of epochs."""
        run = _Run(job)
        for epoch in range(run.resume(), job.settings.epochs):
            run.epoch(epoch)
            run.save(epoch + 1)
            job.on_progress(epoch + 1, job.settings.epochs)
        run.forget()
        return TrainingResult(
            test=run.logits(job.test), validation=run.logits(job.validation), learned=run.moving.learned(run.free[None])
        )


class _Run:
    """State of one training run."""

    def __init__(self, job: TrainingJob) -> None:
        self.job, self.settings = job, job.settings
        self.moving, self.wants = Moving(job.loss), requested_inputs(job.loss)
        self.model, self.dims = job.model().to(job.device), len(job.train.input_shape)
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
        self.batches = batches(len(job.train.targets), self.settings.batch)
        self.data = TensorDataset(job.train.inputs, job.train.targets, job.train.index[0])

    def epoch(self, number: int) -> None:
        """Make one pass over the training part."""
        reseed(self.layers + number, self.job.device)
        self.model.train()
        order = torch.randperm(len(self.data), generator=self.order).tolist()
        loader = DataLoader(self.data, batch_sampler=[order[batch] for batch in self.batches])
        for step, rows in enumerate(loader, number * len(self.batches)):
            examples, labels, index = (part.to(self.job.device) for part in rows)
            self.step(examples, labels, index, step, number)

    def step(self, examples: Tensor, labels: Tensor, index: Tensor, step: int, epoch: int) -> None:
        """Make one optimizer step."""
        progress = step / max(1, self.settings.epochs * len(self.batches) - 1)
        with torch.autocast(self.job.device, enabled=self.settings.amp):
            logits, features = forward(self.model, lambda: self.rows(examples), "features" in self.wants)
        available: dict[str, Any] = {"progress": torch.tensor(progress), "step": step, "epoch": epoch, "index": index}
        available |= {
            "features": None
            if features is None
            else features.float().unflatten(0, examples.shape[: examples.ndim - self.dims]),
            "class_counts": self.counts,
        }
        if "generator" in self.wants:
            available["generator"] = self.job.generator(f"loss/{step}")
        loss = self.moving.at(self.free.unbind(0), progress)
        wanted = {name: value for name, value in available.items() if name in self.wants}
        value, state = stepped(loss, logits.float(), labels, self.state, wanted)
        self.state = {name: tensor.detach() for name, tensor in state.items()}
        self.descend(value.mean(), progress)

    def descend(self, value: Tensor, progress: float) -> None:
        """Compute the gradient, normalize it if asked, and step at this progress's learning rate."""
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
        gradients = [p.grad for p in (*self.model.parameters(), self.free) if p.grad is not None]
        norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
        if self.scaler.is_enabled() and not torch.isfinite(norm):
            return  # the scaler skips this step and tries a smaller scale: the mean must not include it
        self.norm = norm if self.norm is None else 0.9 * self.norm + 0.1 * norm
        for gradient in gradients:
            gradient.div_(self.norm.clamp(min=0.01))

    @torch.no_grad()
    def logits(self, part: Subset) -> Tensor:
        """Logits [1, m, ..., classes] on every example of a part, in evaluation mode."""
        self.model.eval()
        batches = part.inputs.split(max(1024, self.settings.batch))
        return torch.cat([self.rows(batch.to(self.job.device)).float().cpu() for batch in batches])[None]

    def rows(self, examples: Tensor) -> Tensor:
        """Logits [b, ..., classes] of examples [b, ..., *shape]; the model is given [rows, *shape]."""
        each = examples.shape[: examples.ndim - self.dims]
        logits: Tensor = self.model(examples.flatten(0, len(each) - 1)).unflatten(0, each)
        return logits

    @property
    def file(self) -> Path:
        """File that keeps the state between epochs."""
        return self.job.folder / f"lr-{self.job.lr[0]!r}.pt"

    def save(self, done: int) -> None:
        """Save the state that the next epoch needs."""
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
        """Load a saved state; returns the number of epochs done."""
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
        done: int = kept["done"]
        return done

    def forget(self) -> None:
        """Delete the saved state after training."""
        self.file.unlink(missing_ok=True)


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Loop]
