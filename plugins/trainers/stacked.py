"""All seeds at once: the parameters of 32 runs in one stack, the loss of one run mapped over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from harness import Subset, Trainer, TrainingJob, TrainingResult, global_draws, hookimpl, requested_inputs

from ._convolutions import faster_alone
from ._descent import groups
from ._fields import Moving
from ._inputs import batches, class_counts, reseed, standardized, stepped
from ._lanes import over_lanes
from ._layers import network
from ._rates import Rates
from ._replay import Replayed, custom
from ._stopping import Stopping, no_validation

ALONE = (nn.modules.dropout._DropoutNd, nn.modules.batchnorm._BatchNorm, nn.RNNBase)

GATHERED = 1 << 18
"""Most numbers in the examples that are gathered at once."""

MOVING = ("progress", "step", "epoch", "generator")
"""Inputs that make a loss another function at every step."""


class Stacked(Trainer):
    """Trains a block of 32 seeds as one stack of models.

    For networks without random layers; of those with convolutions, small ones are faster than one at a time, large ones
    are not, and the report says so. A block always holds 32 lanes, so that a seed's numbers are the same to the bit
    whichever seeds are asked for; a lane that diverges does not affect the others. Learning rates may differ between
    lanes.
    """

    seeds_per_block: ClassVar[int] = 32

    def resolve(self, job: TrainingJob) -> tuple[Trainer, str | None]:
        """Itself, with a line for the report where another trainer would be as fast."""
        reason = faster_alone(job)
        return self, reason and f"trainer loop would be as fast: {reason}"

    def skip(self, job: TrainingJob) -> str | None:
        """Reason not to stack: random or running layers, mixed precision, or no map by torch.func."""
        if reason := no_validation(job):
            return reason
        Rates(job.settings, 1)  # a mistake in its arguments is no reason to train otherwise
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
                drawn = global_draws(lambda: stack.try_out(places))
                reason = f"model or loss draws from {drawn[0]}: stacked seeds would share a draw" if drawn else None
        except Exception as error:
            return f"torch.func cannot map it over seeds: {_first_sentence(error)}"
        return reason

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Train every lane for the set number of epochs."""
        stack = _Stack(job, [job.model(k) for k in range(len(job.seeds))])
        settings, examples = job.settings, job.train.index.shape[1]
        streams = [job.generator("batches", k) for k in range(len(job.seeds))]
        chance = job.generator("layers").initial_seed()  # a loss may draw from torch's own generator
        for epoch in range(settings.epochs):
            reseed(chance + epoch, job.device)
            order = torch.stack([torch.randperm(examples, generator=stream) for stream in streams])
            for number, batch in enumerate(stack.batches(order), epoch * stack.steps):
                stack.step(batch, number)
            over = stack.look(epoch + 1)
            job.on_progress(epoch + 1, settings.epochs)
            if over:
                break
        return stack.result()


def _first_sentence(error: Exception) -> str:
    return str(error).split("\n")[0].split(". ")[0][:160] or type(error).__name__


@torch.no_grad()
def _unlike(job: TrainingJob, places: Tensor) -> str | None:
    """Reason why the stack would differ from the model: a buffer that changes, or other logits than the model's own."""
    model, examples = job.model().to(job.device), job.train.inputs_at(places).to(job.device)
    dims = len(job.train.input_shape)
    stacked = network([model] * len(places), job.device, dims).logits(examples.clone())
    model = job.model().to(job.device)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    logits = model(examples[0].flatten(0, -1 - dims))
    for name, buffer in model.named_buffers():
        if not torch.equal(buffer, before[name]):
            return f"the model's buffer {name} changes in training"
    if not torch.allclose(stacked[0].flatten(0, -2), logits, rtol=1e-3, atol=1e-4, equal_nan=True):
        return "a stack of this model gives other logits than the model"
    return None


class _Batch(NamedTuple):
    """Examples of one step for every lane."""

    examples: Tensor
    labels: Tensor
    rows: Tensor | None
    """Their rows in the table, where the loss asks for them."""


class _Stack:
    """Models of a block, the loss's changing fields and the optimizer of both."""

    def __init__(self, job: TrainingJob, models: Sequence[nn.Module]) -> None:
        self.job, self.settings, self.lanes = job, job.settings, len(models)
        self.train = standardized(job.train)
        self.moving = Moving(job.loss)
        self.wants = requested_inputs(job.loss)
        self.network = network(models, job.device, len(job.train.input_shape))
        free = self.moving.start.to(job.device).repeat(self.lanes, 1).requires_grad_()
        free_gradient = torch.zeros_like(free)
        self.free, self.learned_by = free, ([free_gradient] if free.numel() else [])
        self.gradients = [*self.network.gradients.values(), *self.learned_by]
        rates, decay, kind = job.lr, job.settings.weight_decay, job.settings.optimizer
        self.groups = groups(self.network, (free, free_gradient), rates, decay, kind)
        self.norm: Tensor | None = None
        self.state = {n: v.to(job.device).expand(self.lanes, *v.shape) for n, v in job.loss.state().items()}
        self.counts = class_counts(job.train.labels, job.classes).to(job.device)
        self.mapped = [name for name in ("features", "class_counts", "index") if name in self.wants]
        self.one = torch.ones((), device=job.device)
        self.losses = over_lanes(self._loss_of_a_lane)
        moves = self.moving.scheduled or any(name in self.wants for name in MOVING)
        self.derivative = self._derivative if moves else Replayed(self._derivative)
        self.steps = len(batches(job.train.index.shape[1], self.settings.batch))
        self.last = self.settings.epochs * self.steps - 1
        self.rates = Rates(self.settings, self.steps)
        self.stopping = None if self.settings.patience is None else Stopping(self.settings.patience, self.lanes)
        self.kept: dict[int, Tensor] = {}
        self.shared: dict[str, Any] = {}
        self.after: list[str] = []

    def batches(self, order: Tensor) -> Iterator[_Batch]:
        """Batches of the training examples at `order` [lanes, m], which are gathered for several steps at once.

        The next batch may overwrite the examples of one.
        """
        train, device, size = self.train, self.job.device, self.settings.batch
        most = max(1, GATHERED // (self.lanes * size * train.table[0].numel()))
        targets = train.targets_at(order).to(device)
        index = self.job.train.index.gather(1, order).to(device) if "index" in self.wants else None
        parts = batches(order.shape[1], size)
        for some in (parts[first : first + most] for first in range(0, len(parts), most)):
            first = some[0].start
            examples = self._gathered(order[:, first : some[-1].stop])
            for part in some:
                rows = None if index is None else index[:, part].contiguous()
                inside = examples[:, part.start - first : part.stop - first]
                yield _Batch(inside, targets[:, part].contiguous(), rows)

    def _gathered(self, places: Tensor) -> Tensor:
        """Training examples [lanes, m, ...] at `places` [lanes, m], in memory that is kept: new memory is slow."""
        train, device = self.train, self.job.device
        if train.shift is not None or train.fill is not None:
            return train.inputs_at(places).to(device)
        rows = train.index.gather(1, places).flatten()
        if len(rows) not in self.kept:
            self.kept[len(rows)] = train.table.new_empty(len(rows), *train.table.shape[1:])
        examples = torch.index_select(train.table, 0, rows, out=self.kept[len(rows)])
        return examples.view(*places.shape, *train.table.shape[1:]).to(device)

    def try_out(self, places: Tensor) -> None:
        """Make the first and the last step of training on these examples."""
        for number in (0, self.last):
            for batch in self.batches(places):
                self.step(batch, number)

    def step(self, batch: _Batch, step: int) -> None:
        """Make one optimizer step."""
        self.shared = self._at(step, f"loss/{step}")
        outputs = self.network.push(batch.examples, "features" in self.wants)
        rows = [] if batch.rows is None else [batch.rows]
        found = self.derivative(*outputs, batch.labels, self.free, *rows, *self.state.values())
        self.network.pull(found[: len(outputs)])
        after = found[len(outputs) :]
        if self.learned_by:
            self.learned_by[0].copy_(after[0])
            after = after[1:]
        self.state = dict(zip(self.after, after, strict=True))
        if self.settings.normalize_gradient:
            self._normalize()
        for group in self.groups:
            group.step(self.rates(step))

    def _at(self, step: int, stream: str) -> dict[str, Any]:
        """Inputs that the losses of all lanes share at a step, with the name of their random stream."""
        progress, epoch = step / max(1, self.last), step // self.steps
        return {"progress": progress, "step": step, "epoch": epoch, "stream": stream}

    def _derivative(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Gradients of the losses in the network's outputs and in learned fields, and the next running state.

        Maps the loss over no more tensors than needed: outputs, labels, learned fields, rows where wanted, the state.
        """
        count = 2 if "features" in self.wants else 1
        leaves, labels = [t.detach().requires_grad_() for t in tensors[:count]], tensors[count]
        free, state = tensors[count + 1].detach().requires_grad_(), list(tensors[count + 2 :])
        outputs = [leaf.clone() for leaf in leaves]  # a loss may keep them, or change them in place
        available = {"features": outputs[-1], "class_counts": self.counts}
        if "index" in self.wants:
            available["index"], *state = state
        learned = [free] if self.learned_by else []
        losses, *after = self.losses(outputs[0], labels, *learned, *(available[name] for name in self.mapped), *state)
        if custom(losses):
            self.derivative = self._derivative
        one = self.one.expand(losses.shape)
        found = torch.autograd.grad(losses, [*leaves, *learned], one, materialize_grads=True)
        return (*found, *(value.detach() for value in after))

    def _loss_of_a_lane(self, logits: Tensor, labels: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """Mean loss of one lane and its next state, under vmap."""
        rest, shared = iter(given), self.shared
        free = next(rest).unbind(0) if self.learned_by else ()
        inputs: dict[str, Any] = {name: next(rest) for name in self.mapped}
        inputs |= {name: shared[name] for name in ("step", "epoch") if name in self.wants}
        if "progress" in self.wants:
            inputs["progress"] = torch.tensor(shared["progress"])
        if "generator" in self.wants:
            inputs["generator"] = self.job.generator(shared["stream"])
        state = dict(zip(self.state, rest, strict=True))
        loss = self.moving.at(free, shared["progress"])
        value, after = stepped(loss, logits, labels, state, inputs)
        self.after = list(after)
        return value.mean(), *after.values()

    def _normalize(self) -> None:
        """Divide the gradient of each lane by a running mean of its norm, never by less than 0.01."""
        squares = [gradient.reshape(self.lanes, -1).square().sum(1) for gradient in self.gradients]
        norm = torch.stack(squares).sum(0).sqrt()
        self.norm = norm if self.norm is None else 0.9 * self.norm + 0.1 * norm
        divisor = self.norm.clamp(min=0.01)
        for gradient in self.gradients:
            gradient.div_(divisor.view(-1, *[1] * (gradient.ndim - 1)))

    def outputs(self, part: Subset, wants_features: bool = False) -> tuple[Tensor, ...]:
        """Logits [lanes, m, ..., classes] on every example of a part, in evaluation mode; features if wanted."""
        self.network.model.eval()
        places = torch.arange(part.index.shape[1]).expand(self.lanes, -1)
        found = self.network.outputs(part.inputs_at(places).to(self.job.device), wants_features)
        self.network.model.train()
        return found

    @torch.no_grad()
    def look(self, done: int) -> bool:
        """Compare the losses on the validation part after an epoch, as at the end of training; whether all are over."""
        if self.stopping is None:
            return False
        part, wants, device = self.job.validation, self.wants, self.job.device
        self.shared = self._at(self.last, "loss/validation")
        logits, *features = self.outputs(part, "features" in wants)
        available = {"features": features[0] if features else logits, "class_counts": self.counts}
        available["index"] = part.index.to(device)
        learned = [self.free] if self.learned_by else []
        given = (*learned, *(available[name] for name in self.mapped), *self.state.values())
        losses, *_ = self.losses(logits, part.labels.to(device), *given)
        self.stopping.look(done, losses, self.trained)
        return self.stopping.over(done)

    @property
    def trained(self) -> list[Tensor]:
        """Weights and learned fields as tensors [lanes, ...]."""
        return [*self.network.weights.values(), self.free]

    def result(self) -> TrainingResult:
        """Logits with the weights of the last epoch, or of each lane's best one."""
        if self.stopping is not None:
            self.stopping.restore(self.trained)
        test, validation = (self.outputs(part)[0] for part in (self.job.test, self.job.validation))
        epochs = self.stopping.epochs if self.stopping else ()
        return TrainingResult(test=test, validation=validation, learned=self.learned(), epochs=epochs)

    def learned(self) -> dict[str, list[float]]:
        """Learned fields after training."""
        return self.moving.learned(self.free.detach())


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Stacked]
