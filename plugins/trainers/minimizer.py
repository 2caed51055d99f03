"""Exact minimizers of small problems, found by search instead of descent."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.func import functional_call, vmap

from harness import Subset, Trainer, TrainingJob, TrainingResult, hookimpl, requested_inputs

from ._fields import Moving
from ._inputs import class_counts
from ._lattice import minimizers

MOST = 2
"""Number of parameters up to which a lattice covers them."""
PER_CALL = 256
"""Number of parameter vectors in one call of the loss."""


class Minimizer(Trainer):
    """Finds the global minimum of the loss, for one or two parameters.

    The mean loss over the whole training part is minimized to rounding. A lattice covers every parameter from -30
    to 30, closely around 0; its best points are refined in float64. A seed gets the minimizer that is nearest to
    where its training would start, so that a flat minimum is met where descent from there would meet it. Where the
    infimum is at infinity or is reached over a region to rounding, the result is one point of that region or of the
    edge. Learned fields of the loss count as parameters. Epochs, batches and learning rates have no effect.
    """

    seeds_per_block: ClassVar[int] = 32

    def skip(self, job: TrainingJob) -> str | None:
        """Reason why there is nothing to minimize: too many parameters, or a loss that changes or is random."""
        moving, wants = Moving(job.loss), requested_inputs(job.loss)
        size = sum(p.numel() for p in job.model().parameters() if p.requires_grad) + len(moving.start)
        if size > MOST:
            return f"the search is for at most {MOST} parameters, the model and its loss have {size}"
        if moving.scheduled or job.loss.state() or {"progress", "step", "epoch"} & set(wants):
            return "the loss changes during training, so it has no minimizer"
        if "generator" in wants or "features" in wants:
            return "the loss is random or needs features"
        return "weight decay is not part of the loss" if job.settings.weight_decay else None

    def fit(self, job: TrainingJob) -> TrainingResult:
        """Find a minimizer for every seed; seeds with the same training part share one search."""
        found: dict[bytes, Tensor] = {}
        test, validation, free = [], [], []
        for k in range(len(job.seeds)):
            landscape = _Landscape(job, k)
            key = landscape.key
            if key not in found:
                found[key] = minimizers(landscape, landscape.size)
            nearest = (found[key] - landscape.start).square().sum(1).argmin()
            best = found[key][nearest]
            test.append(landscape.logits(best, job.test.for_seed(k)))
            validation.append(landscape.logits(best, job.validation.for_seed(k)))
            free.append(landscape.free(best))
            job.on_progress(k + 1, len(job.seeds))
        return TrainingResult(
            test=torch.stack(test),
            validation=torch.stack(validation),
            learned=Moving(job.loss).learned(torch.stack(free)),
        )


class _Landscape:
    """Mean training loss of one seed as a function of the parameter vector, in float64."""

    def __init__(self, job: TrainingJob, k: int) -> None:
        self.moving = Moving(job.loss)
        self.model = job.model(k).double().eval()
        part = job.train.for_seed(k)
        self.inputs, self.labels = part.inputs.double(), part.targets
        given = {"class_counts": class_counts(part.labels, job.classes)[0], "index": part.index[0]}
        self.given = {name: value for name, value in given.items() if name in requested_inputs(job.loss)}
        self.weights = {n: w.detach() for n, w in self.model.named_parameters() if w.requires_grad}
        self.fixed = {n: w.detach() for n, w in self.model.named_parameters() if not w.requires_grad}
        self.start = torch.cat([*(w.flatten() for w in self.weights.values()), self.moving.start.double()])
        self.size = len(self.start)

    @property
    def key(self) -> bytes:
        """Content that the loss depends on: equal keys are equal functions."""
        order = self.inputs.flatten(1).argsort(0)[:, 0]
        parts = [self.inputs[order], self.labels[order], *self.fixed.values()]
        return b"".join(part.numpy().tobytes() for part in parts)

    @torch.no_grad()
    def __call__(self, vectors: Tensor) -> Tensor:
        """Mean losses [m] at parameter vectors [m, size]; infinite where the loss is not a number."""
        values = torch.cat([vmap(self._loss)(part) for part in vectors.split(PER_CALL)])
        return values.double().nan_to_num(nan=torch.inf)

    def _loss(self, vector: Tensor) -> Tensor:
        loss: Any = self.moving.at(self.free(vector).unbind(0), 0.0)
        return torch.as_tensor(loss(self._forward(vector, self.inputs), self.labels, **self.given)).mean()

    def _forward(self, vector: Tensor, inputs: Tensor) -> Tensor:
        weights, place = dict(self.fixed), 0
        for name, weight in self.weights.items():
            weights[name] = vector[place : place + weight.numel()].view(weight.shape)
            place += weight.numel()
        logits: Tensor = functional_call(self.model, weights, (inputs,))
        return logits

    def free(self, vector: Tensor) -> Tensor:
        """Part of a parameter vector that holds the learned fields of the loss."""
        return vector[len(vector) - len(self.moving.start) :]

    @torch.no_grad()
    def logits(self, vector: Tensor, part: Subset) -> Tensor:
        """Logits [m, classes] on every example of a part."""
        return self._forward(vector, part.inputs.double())


@hookimpl
def components() -> list[type[Trainer]]:
    """The component classes of this module."""
    return [Minimizer]
