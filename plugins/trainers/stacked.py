"""All seeds at once: the parameters of 32 runs in one stack, the loss of one run mapped over them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import vmap

from harness import Subset, Trainer, TrainingJob, TrainingResult, global_draws, hookimpl, requested_inputs

from ._fields import Moving
from ._inputs import class_counts, reseed, schedule, stepped
from ._network import network

ALONE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm, nn.RNNBase, nn.modules.conv._ConvNd)


class Stacked(Trainer):
    """Trains a block of 32 seeds as one stack of models.

    For networks without random layers. A block always holds 32 lanes, so that a seed's numbers are the same to the bit
    whichever seeds are asked for; a lane that diverges does not affect the others. Learning rates may differ between
    lanes.
    """

    seeds_per_block: ClassVar[int] = 32

    def skip(self, job: TrainingJob) -> str | None:
        """Reason not to stack: random, running or convolutional layers, mixed precision, or no map by torch.func."""
        if job.settings.amp:
            return "mixed precision (amp) is trained one seed at a time"
        model = job.model()
        for name, module in model.named_modules():
            if isinstance(module, ALONE):
                return f"the model's layer {name or 'itself'} ({type(module).__name__}) is trained one seed at a time"
        places = torch.arange(3).repeat(len(job.seeds), 1) % job.train.index.shape[1]
        try:
            reason = _unlike(job, places)
            if reason is None:
                stack = _Stack(job, [model] * len(job.seeds))
                drawn = global_draws(lambda: [*map(stack.step, [places] * 2, (0, 1), (0, 1), (2, 2))])
                reason = f"model or loss draws from {drawn[0]}: stacked seeds would share a draw" if drawn else None
        except Exception as error:
            return f"torch.func cannot map it over seeds: {_first_sentence(error)}"
        return reason

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train every lane for the set number of epochs."""
        stack = _Stack(job, [job.model(k) for k in range(len(job.seeds))])
        settings, examples = job.settings, job.train.index.shape[1]
        batches = math.ceil(examples / settings.batch)
        streams = [job.generator("batches", k) for k in range(len(job.seeds))]
        chance = job.generator("layers").initial_seed()  # a loss may draw from torch's own generator
        for epoch in range(settings.epochs):
            reseed(chance + epoch, job.device)
            order = torch.stack([torch.randperm(examples, generator=stream) for stream in streams])
            for batch, places in enumerate(order.split(settings.batch, 1)):
                stack.step(places, epoch * batches + batch, epoch, settings.epochs * batches)
            job.on_progress(epoch + 1, settings.epochs)
        return TrainingResult(
            test=stack.logits(job.test), validation=stack.logits(job.validation), learned=stack.learned()
        )


def _first_sentence(error: Exception) -> str:
    return str(error).split("\n")[0].split(". ")[0][:160] or type(error).__name__


@torch.no_grad()
def _unlike(job: TrainingJob, places: Tensor) -> str | None:
    """Reason why the stack would differ from the model: a buffer that changes, or other logits than the model's own."""
    model, examples = job.model().to(job.device), job.train.inputs_at(places).to(job.device)
    stacked, _ = network([model] * len(places), job.device)(examples.clone(), False)
    model = job.model().to(job.device)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    logits = model(examples[0].flatten(0, -2))
    for name, buffer in model.named_buffers():
        if not torch.equal(buffer, before[name]):
            return f"the model's buffer {name} changes in training"
    if not torch.allclose(stacked[0].flatten(0, -2), logits, rtol=1e-3, atol=1e-4, equal_nan=True):
        return "a stack of this model gives other logits than the model"
    return None


class _Stack:
    """Models of a block, the loss's changing fields and the optimizer of both."""

    def __init__(self, job: TrainingJob, models: Sequence[nn.Module]) -> None:
        self.job = job
        self.lanes = len(models)
        self.moving = Moving(job.loss)
        self.wants = requested_inputs(job.loss)
        self.network = network(models, job.device)
        self.free = self.moving.start.to(job.device).repeat(self.lanes, 1).requires_grad_()
        weights = list(self.network.weights.values())
        self.leaves = [*weights, self.free] if self.free.numel() else weights
        self.optimizer = _Optimizer(self.leaves, len(weights), job)
        self.norm: Tensor | None = None
        self.state = {n: v.to(job.device).expand(self.lanes, *v.shape) for n, v in job.loss.state().items()}
        self.counts = class_counts(job.train.labels, job.classes).to(job.device)

    def step(self, places: Tensor, step: int, epoch: int, total: int) -> None:
        """Make one optimizer step on the training examples at `places` [lanes, batch]."""
        job, progress = self.job, step / max(1, total - 1)
        examples, labels = job.train.inputs_at(places).to(job.device), job.train.targets_at(places).to(job.device)
        logits, features = self.network(examples, "features" in self.wants)
        mapped = {"features": features, "class_counts": self.counts}
        mapped = {name: value for name, value in mapped.items() if name in self.wants}
        if "index" in self.wants:
            mapped["index"] = job.train.index.gather(1, places).to(job.device)
        shared: dict[str, Any] = {"progress": torch.tensor(progress), "step": step, "epoch": epoch}
        if "generator" in self.wants:
            shared["generator"] = job.generator(f"loss/{step}")
        losses, state = vmap(self._loss_of_a_lane(shared, progress), randomness="different")(
            logits, labels, self.free, mapped, self.state
        )
        self.state = {name: value.detach() for name, value in state.items()}
        gradients = torch.autograd.grad(losses.sum(), self.leaves, materialize_grads=True)
        if job.settings.normalize_gradient:
            gradients = self._normalized(gradients)
        self.optimizer.step(gradients, schedule(job.settings, progress))

    def _loss_of_a_lane(self, shared: dict[str, Any], progress: float) -> Callable[..., Any]:
        def run(logits: Tensor, labels: Tensor, free: Tensor, mapped: Any, state: Any) -> Any:
            loss = self.moving.at(free.unbind(0), progress)
            value, state = stepped(loss, logits, labels, state, {**shared, **mapped})
            return value.mean(), state

        return run

    def _normalized(self, gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Gradient of each lane, divided by a running mean of its norm, never by less than 0.01."""
        norm = torch.stack([gradient.reshape(self.lanes, -1).square().sum(1) for gradient in gradients]).sum(0).sqrt()
        self.norm = norm if self.norm is None else 0.9 * self.norm + 0.1 * norm
        divisor = self.norm.clamp(min=0.01)
        return tuple(gradient / divisor.view(-1, *[1] * (gradient.ndim - 1)) for gradient in gradients)

    @torch.no_grad()
    def logits(self, part: Subset) -> Tensor:
        """Logits [lanes, m, ..., classes] on every example of a part, in evaluation mode."""
        self.network.model.eval()
        places = torch.arange(part.index.shape[1]).expand(self.lanes, -1)
        logits, _ = self.network(part.inputs_at(places).to(self.job.device), False)
        self.network.model.train()
        return logits

    def learned(self) -> dict[str, list[float]]:
        """Learned fields after training."""
        return self.moving.learned(self.free.detach())


class _Optimizer:
    """Optimizer of torch on slices of the stack: neighboring lanes with the same learning rate share a slice."""

    def __init__(self, leaves: Sequence[Tensor], weights: int, job: TrainingJob) -> None:
        """Take the first `weights` leaves as the networks', which decay; the loss's learned fields do not."""
        self.slices: list[tuple[int, int, list[Tensor]]] = []
        groups: list[dict[str, Any]] = []
        start = 0
        for lr, lanes in itertools.groupby(job.lr):
            stop = start + len(list(lanes))
            views = [leaf.detach()[start:stop] for leaf in leaves]
            self.slices.append((start, stop, views))
            decays = [(views[:weights], job.settings.weight_decay), (views[weights:], 0.0)]
            groups += [{"params": p, "lr": lr, "weight_decay": decay, "base": lr} for p, decay in decays if p]
            start = stop
        kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[job.settings.optimizer]
        self.torch = kind(groups, fused=True)

    def step(self, gradients: Sequence[Tensor], scale: float) -> None:
        """Make one step with the learning rates multiplied by `scale`."""
        for start, stop, views in self.slices:
            for view, gradient in zip(views, gradients, strict=True):
                view.grad = gradient[start:stop].contiguous()  # fused kernels need the layout of the parameter
        for group in self.torch.param_groups:
            group["lr"] = group["base"] * scale
        self.torch.step()


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Stacked]
