"""Training of a denoising network by regression, whatever it predicts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

if TYPE_CHECKING:
    from torch import Generator

    from harness import Schedule

Examples = Callable[[int, "Generator"], Tensor]
"""(n, generator) -> examples [n, *shape]."""

BATCH, RATE, WARM, MEMORY = 128, 3e-3, 0.05, 0.04
"""Examples a step, the highest learning rate, the share of the steps it rises, the share that the average remembers."""

TARGETS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "eps": lambda x0, e, a, b: e,
    "x0": lambda x0, e, a, b: x0,
    "v": lambda x0, e, a, b: a * e - b * x0,
}
"""(x_0, noise, sqrt A_t, sqrt B_t) -> what the network learns to say (v: Salimans and Ho, 2022)."""


def fit(
    net: nn.Module,
    examples: Examples,
    schedule: Schedule,
    predicts: str,
    steps: int,
    generator: Generator,
    report: Callable[..., None],
) -> nn.Module:
    """A copy of the network with the moving average of the weights it had while it was trained.

    Adam, a rate that rises and then falls to 0 as a cosine; the average forgets as fast as training is long.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step / steps))
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(math.exp(-1 / (MEMORY * steps))))
    for step in range(steps):
        optimizer.zero_grad()
        x0 = examples(BATCH, generator)
        loss(net, x0, times(schedule, BATCH, generator), generator, schedule, predicts).backward()
        optimizer.step()
        falling.step()
        average.update_parameters(net)
        report(step + 1, steps)
    trained: nn.Module = average.module
    return trained.eval()


def loss(net: nn.Module, x0: Tensor, t: Tensor, generator: Generator, schedule: Schedule, predicts: str) -> Tensor:
    """Mean squared error of what the network says of x_0 [b, *shape] at times t [b] under fresh noise."""
    e = torch.randn(x0.shape, generator=generator)
    kept = schedule.alpha_bar(t).view(-1, *[1] * (x0.ndim - 1))
    a, b = kept.sqrt().float(), (1 - kept).sqrt().float()
    guess: Tensor = net(a * x0 + b * e, (t / schedule.steps).float())
    return (guess - TARGETS[predicts](x0, e, a, b)).square().mean()


def times(schedule: Schedule, n: int, generator: Generator) -> Tensor:
    """Real times in (0, T], float64 [n], evenly apart round the clock from a random start (Kingma et al., 2021)."""
    start = torch.rand(1, generator=generator, dtype=torch.float64)
    return schedule.steps * (1 - (start + torch.arange(n) / n) % 1)


def _share(passed: float) -> float:
    """The share of the highest rate when so much of the training has passed."""
    return min(1.0, passed / WARM + 0.01) * (1 + math.cos(math.pi * passed)) / 2
