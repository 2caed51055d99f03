"""Whether stacking networks with convolutions pays, by the numbers that these compute in a step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from harness import TrainingJob

PAYS_UP_TO = 65_536
"""Numbers that the convolutions of one seed give in a step, up to which stacking was 1.5 times faster or more."""


def faster_alone(job: TrainingJob) -> str | None:
    """Reason why one seed after the other is as fast as a stack of networks with convolutions, or None.

    Measured on a CPU, where a stack's convolutions are one grouped convolution: results/reference/stacked-trainer.md.
    """
    model = job.model()
    layers = [module for module in model.modules() if isinstance(module, _ConvNd)]
    if not layers:
        return None
    if job.device != "cpu":
        return "stacking convolutions pays on CPUs, elsewhere it was not measured"
    numbers = _outputs(job, model, layers)
    if numbers <= PAYS_UP_TO:
        return None
    return f"stacking pays up to {PAYS_UP_TO:,} numbers from convolutions in a step, the model has {numbers:,}"


@torch.no_grad()
def _outputs(job: TrainingJob, model: nn.Module, layers: Sequence[nn.Module]) -> int:
    """Numbers that the convolutions give for one batch, by the size of their outputs for two examples."""
    found: list[Tensor] = []
    for layer in layers:
        layer.register_forward_hook(lambda _module, _inputs, output: found.append(output))
    examples = job.train.for_seed(0).inputs_at(torch.zeros(1, 2, dtype=torch.int64))[0]
    model.eval()(examples.flatten(0, -1 - len(job.train.input_shape)))
    batch: int = min(job.settings.batch, job.train.index.shape[1])
    return sum(output.numel() for output in found) * batch // 2
