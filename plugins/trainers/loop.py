"""One seed at a time: an ordinary PyTorch loop for any network, on CPU or GPU, that resumes where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from harness import ImportPath, Subset, Trainer, TrainingJob, TrainingResult, hookimpl, requested_inputs

from ._augmentation import Augmentation
from ._compiled import no_compiler
from ._fields import Moving
from ._inputs import batches, class_counts, forward, reseed, stepped
from ._rates import Rates
from ._stopping import Stopping, no_validation


class Loop(Trainer):
    """Trains one seed at a time with DataLoader and torch.optim.

    With autocast where `amp` is set. The batches are those of `stacked`. `augment` is the import path of a function of
    a training batch, inputs [batch, ...] -> inputs of the same shape, which may ask for a `generator` on the seed's own
    stream by name. `compile` runs the network in training by torch.compile. After every epoch the state is written to
    the job's folder, whole or not at all; a later call resumes from there.
    """

    augment: ImportPath | None = None
    compile: bool = False

    def skip(self, job: TrainingJob) -> str | None:
        """Reason not to train: no validation part to stop by, no compiler, features of a compiled network."""
        if reason := no_validation(job):
            return reason
        if self.compile and "features" in requested_inputs(job.loss):
            return "the loss asks for features, which a compiled network (compile) does not show"
        return no_compiler(job.device) if self.compile else None

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train the first seed of the job, for the set number of epochs or until it no longer improves."""
        run = _Run(job, self)
        done = run.resume()
        while done < job.settings.epochs and not run.over(done):
            run.epoch(done)
            done += 1
            run.look(done)
            run.save(done)
            job.on_progress(done, job.settings.epochs)
        run.forget()
        return run.result()


class _Run:
    """State of one training run."""

    def __init__(self, job: TrainingJob, trainer: Loop) -> None:
        self.job, self.settings = job, job.settings
        self.moving, self.wants = Moving(job.loss), requested_inputs(job.loss)
        self.model, self.dims = job.model().to(job.device), len(job.train.input_shape)
        self.network: nn.Module = torch.compile(self.model) if trainer.compile else self.model  # type: ignore[assignment]
        self.augment = None if trainer.augment is None else Augmentation(trainer.augment)
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
        self.last = self.settings.epochs * len(self.batches) - 1
        self.rates = Rates(self.settings, len(self.batches))
        self.stopping = None if self.settings.patience is None else Stopping(self.settings.patience, 1)
        self.data = TensorDataset(job.train.inputs, job.train.targets, job.train.index[0])

    def epoch(self, number: int) -> None:
        """Make one pass over the training part."""
        reseed(self.layers + number, self.job.device)
        self.model.train()
        order = torch.randperm(len(self.data), generator=self.order).tolist()
        loader = DataLoader(self.data, batch_sampler=[order[batch] for batch in self.batches])
        for step, (examples, *rows) in enumerate(loader, number * len(self.batches)):
            if self.augment is not None:
                examples = self.augment(examples, self.job.generator(f"augment/{step}"), step, number)
            labels, index = (part.to(self.job.device) for part in rows)
            self.step(examples.to(self.job.device), labels, index, step)

    def step(self, examples: Tensor, labels: Tensor, index: Tensor, step: int) -> None:
        """Make one optimizer step."""
        with torch.autocast(self.job.device, enabled=self.settings.amp):
            logits, features = self.outputs(examples, self.network)
        value, state = self.loss(logits, features, labels, index, step)
        self.state = {name: tensor.detach() for name, tensor in state.items()}
        self.descend(value, step)

    def loss(
        self, logits: Tensor, features: Tensor | None, labels: Tensor, index: Tensor, step: int, stream: str = ""
    ) -> tuple[Tensor, Any]:
        """Mean loss as it is at a step, and its next state."""
        progress = step / max(1, self.last)
        available: dict[str, Any] = {"progress": torch.tensor(progress), "step": step, "index": index}
        available |= {"epoch": step // len(self.batches), "features": features, "class_counts": self.counts}
        if "generator" in self.wants:
            available["generator"] = self.job.generator(f"loss/{stream or step}")
        loss = self.moving.at(self.free.unbind(0), progress)
        wanted = {name: value for name, value in available.items() if name in self.wants}
        value, state = stepped(loss, logits.float(), labels, self.state, wanted)
        return value.mean(), state

    def descend(self, value: Tensor, step: int) -> None:
        """Compute the gradient, normalize it if asked, and step at the learning rate of this step."""
        self.optimizer.zero_grad()
        self.scaler.scale(value).backward()
        if self.settings.normalize_gradient:
            self.scaler.unscale_(self.optimizer)
            self.normalize()
        for group in self.optimizer.param_groups:
            group["lr"] = self.job.lr[0] * self.rates(step)
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
    def evaluated(self, part: Subset) -> tuple[Tensor, Tensor | None]:
        """Logits [m, ..., classes] on every example of a part, in evaluation mode, and features if the loss asks."""
        self.model.eval()
        found = [
            self.outputs(batch.to(self.job.device), self.model)
            for batch in part.inputs.split(max(1024, self.settings.batch))
        ]
        logits, features = zip(*found, strict=True)
        return torch.cat(logits).float(), None if features[0] is None else torch.cat(features)

    def outputs(self, examples: Tensor, network: nn.Module) -> tuple[Tensor, Tensor | None]:
        """Logits [b, ..., classes] and features [b, ..., h] of examples [b, ..., *shape].

        The network is given [rows, *shape]. Features are None where the loss does not ask for them.
        """
        each = examples.shape[: examples.ndim - self.dims]
        rows = examples.flatten(0, len(each) - 1)
        logits, features = forward(self.model, lambda: network(rows), "features" in self.wants)
        return logits.unflatten(0, each), None if features is None else features.float().unflatten(0, each)

    def look(self, done: int) -> None:
        """Compare the loss on the validation part after an epoch: the loss as it is at the end of training."""
        if self.stopping is None:
            return
        part = self.job.validation
        logits, features = self.evaluated(part)
        labels, index = part.targets.to(self.job.device), part.index[0].to(self.job.device)
        with torch.no_grad():
            value, _ = self.loss(logits, features, labels, index, self.last, "validation")
        self.stopping.look(done, value[None], self.weights)

    def over(self, done: int) -> bool:
        """Whether training stops early after so many epochs."""
        return self.stopping is not None and done > 0 and self.stopping.over(done)

    @property
    def weights(self) -> list[Tensor]:
        """Weights, buffers and learned fields as tensors [1, ...]."""
        return [tensor.detach()[None] for tensor in (*self.model.state_dict().values(), self.free)]

    def result(self) -> TrainingResult:
        """Logits with the weights of the last epoch, or of the best one."""
        if self.stopping is not None:
            self.stopping.restore(self.weights)
        test, validation = (self.evaluated(part)[0].cpu()[None] for part in (self.job.test, self.job.validation))
        learned = self.moving.learned(self.free.detach()[None])
        return TrainingResult(
            test=test, validation=validation, learned=learned, epochs=self.stopping.epochs if self.stopping else ()
        )

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
                "stopping": None if self.stopping is None else self.stopping.state(),
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
        if self.stopping is not None:
            self.stopping.load(kept["stopping"])
        done: int = kept["done"]
        return done

    def forget(self) -> None:
        """Delete the saved state after training."""
        self.file.unlink(missing_ok=True)


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Loop]
