"""A small first batch that checks, before anything is trained, that model and loss fit training and metrics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.conformance import contract, first_call
from harness.conformance.draws import undrawn
from harness.errors import own_line
from harness.inputs import requested_inputs
from harness.kinds import Model
from harness.kinds.classification import TrainingJob
from harness.random import generator


def try_first_batch(job: TrainingJob, model: Model, task: str) -> None:
    """Try an untrained network and the loss on a few training examples of the first seed.

    Raises BenchError, one line with file:line of the plugin, for invalid logits, losses or probabilities.
    """
    part = job.train.for_seed(0)
    examples = part.labels.shape[1]
    count = first_call.few(job.classes, *part.labels.shape[2:])
    places = (torch.arange(count) * examples // count)[None]
    inputs, target = (found[0].to(job.device) for found in (part.inputs_at(places), part.targets_at(places)))
    with undrawn():
        network = job.model()
        logits, features = _logits(network.to(job.device).train(), model, inputs, part.input_shape, job.classes)
    given: dict[str, object] = {
        "progress": torch.tensor(0.0),
        "step": 0,
        "epoch": 0,
        "index": part.index.gather(1, places)[0].to(job.device),
        "features": features,
        "class_counts": _counts(part.labels[0], job.classes).to(logits),
        "generator": generator(0, "first batch"),
    }
    wanted = requested_inputs(job.loss)
    first_call.try_loss(job.loss, logits, target, {k: v for k, v in given.items() if k in wanted}, task)


@torch.no_grad()
def _logits(
    network: nn.Module, model: Model, inputs: Tensor, shape: Sequence[int], classes: int
) -> tuple[Tensor, Tensor]:
    """Return logits [n, ..., classes] of inputs [n, ..., *shape], and the input of the last layer [n, ..., h]."""
    each = inputs.shape[: inputs.ndim - len(shape)]
    rows = inputs.flatten(0, len(each) - 1)
    seen: list[Tensor] = [rows]
    for layer in network.modules():
        if any(True for _ in layer.parameters(recurse=False)):
            layer.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    try:
        answer = network(rows)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        found = f"built a network that fails on {[*rows.shape]}: {said}{own_line(error, ours=False)}"
        raise contract.wrong(model, "build", found, f"logits {[len(rows), classes]}") from error
    logits = contract.network_output(model, answer, len(rows), classes)
    return logits.float().unflatten(0, each), seen[-1].float().unflatten(0, each)


def _counts(labels: Tensor, classes: int) -> Tensor:
    """Return how often each class or label occurs in the training part."""
    return labels.flatten(0, -2).sum(0) if labels.is_floating_point() else labels.flatten().bincount(minlength=classes)
