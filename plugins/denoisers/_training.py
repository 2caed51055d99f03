"""Training of a denoising network by regression, for every prediction type."""

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

ExampleSource = Callable[[int, "Generator"], Tensor]
"""Maps (n, generator) to examples [n, *shape]."""

BATCH, RATE, WARM, MEMORY = 128, 3e-3, 0.05, 0.04
"""Examples per step, highest learning rate, fraction of the steps with a rising rate, memory of the average."""

TARGETS: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "epsilon": lambda x0, e, a, b: e,
    "sample": lambda x0, e, a, b: x0,
    "v_prediction": lambda x0, e, a, b: a * e - b * x0,
}
"""Targets of the network from (x_0, noise, sqrt A_t, sqrt B_t); v as in Salimans and Ho, 2022."""


def fit(
    net: nn.Module,
    examples: ExampleSource,
    schedule: Schedule,
    prediction_type: str,
    steps: int,
    generator: Generator,
    on_progress: Callable[..., None],
    weighting: str = "uniform",
) -> nn.Module:
    """The network with the moving average of its weights during training.

    Adam, with a rate that rises and then falls to 0 as a cosine; the memory of the average is proportional to the
    length of training.
    """
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step / steps))
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(math.exp(-1 / (MEMORY * steps))))
    for step in range(steps):
        optimizer.zero_grad()
        x0 = examples(BATCH, generator)
        t = times(schedule, BATCH, generator)
        loss(net, x0, t, generator, schedule, prediction_type, weighting).backward()
        optimizer.step()
        falling.step()
        average.update_parameters(net)
        on_progress(step + 1, steps)
    trained: nn.Module = average.module
    return trained.eval()


def loss(
    net: nn.Module,
    x0: Tensor,
    t: Tensor,
    generator: Generator,
    schedule: Schedule,
    prediction_type: str,
    weighting: str = "uniform",
) -> Tensor:
    """Mean squared error of the network's prediction for x_0 [b, *shape] at times t [b] under fresh noise.

    `weighting` is `uniform`, or `bound` for the weights of the variational bound.
    """
    e = torch.randn(x0.shape, generator=generator)
    kept = schedule.alpha_bar(t).view(-1, *[1] * (x0.ndim - 1))
    a, b = kept.sqrt().float(), (1 - kept).sqrt().float()
    guess: Tensor = net(a * x0 + b * e, (t / schedule.num_train_timesteps).float())
    squares = (guess - TARGETS[prediction_type](x0, e, a, b)).square()
    if weighting == "bound":
        squares = squares * bound_weights(schedule, t, prediction_type).view(kept.shape).float()
    return squares.mean()


def bound_weights(schedule: Schedule, t: Tensor, prediction_type: str) -> Tensor:
    """Weights of squared errors at times t [b] in the variational bound, float64 [b].

    Those of the KL divergences of DDPM's steps from t to t - 1 with the variance beta_t, beta_t / (2 alpha_t B_t) for
    the error of eps (Ho et al., 2020, equation 12); errors of x_0 and v are A_t / B_t and A_t times as much.
    """
    kept, then = schedule.alpha_bar(t), schedule.alpha_bar((t - 1).clamp(min=0))
    beta = 1 - kept / then
    of_eps = {"epsilon": torch.ones_like(kept), "sample": kept / (1 - kept), "v_prediction": kept}
    return of_eps[prediction_type] * beta / (2 * (1 - beta) * (1 - kept))


def times(schedule: Schedule, n: int, generator: Generator) -> Tensor:
    """Real times in (0, T], float64 [n], equally spaced modulo T from a random start (Kingma et al., 2021)."""
    start = torch.rand(1, generator=generator, dtype=torch.float64)
    return schedule.num_train_timesteps * (1 - (start + torch.arange(n) / n) % 1)


def _share(passed: float) -> float:
    """Learning rate as a fraction of the highest, at this fraction of the training."""
    return min(1.0, passed / WARM + 0.01) * (1 + math.cos(math.pi * passed)) / 2
