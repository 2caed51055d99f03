"""Heads: a last layer beside that of the frozen network, which estimates the error of each element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ._times import noisy

if TYPE_CHECKING:
    from torch import Generator

    from harness import DiffusionModel

BATCH, RATE, WIDTH, GROUPS, WAVES = 256, 2e-3, 256, 8, 8


class Trial(NamedTuple):
    """Draws x_t [b, *shape] at whole times t [b], the predictions of x_0 and the noise, and the output of the head."""

    x0: Tensor
    noise: Tensor
    t: Tensor
    guess: Tensor
    eps: Tensor
    said: Tensor


def train(
    model: DiffusionModel,
    data: Tensor,
    generator: Generator,
    steps: int,
    loss: Callable[[Trial], Tensor],
    on_progress: Callable[..., None],
) -> dict[str, Tensor]:
    """Weights of a head with the least mean loss over data [n, *shape] and whole times; the denoiser is frozen.

    Adam (Kingma and Ba, 2015) at a rate that falls linearly to 0.
    """
    weights = fresh(model, data[:1], generator)
    optimizer = torch.optim.Adam([part.requires_grad_() for part in weights.values()], lr=RATE)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for step in range(steps):
        x0 = data[torch.randint(len(data), (BATCH,), generator=generator)]
        noise = torch.randn(x0.shape, generator=generator).to(x0)
        t = (
            torch.randint(1, model.schedule.num_train_timesteps + 1, (BATCH,), generator=generator)
            .double()
            .to(x0.device)
        )
        with torch.no_grad():
            x = noisy(model.schedule, x0, noise, t)
            guess, eps = model.x0_and_eps(x, t)
            seen = features(model, x, t, guess)
        with torch.enable_grad():
            optimizer.zero_grad()
            loss(Trial(x0, noise, t, guess, eps, answer(weights, seen, x))).mean().backward()
        optimizer.step()
        falling.step()
        on_progress(step + 1, steps)
    return {name: part.detach() for name, part in weights.items()}


def said(model: DiffusionModel, weights: Mapping[str, Tensor], x: Tensor, t: float, eps: Tensor) -> Tensor:
    """Output of a trained head at x_t [b, *shape] with predicted noise eps: a second pass through the network."""
    kept = float(model.schedule.alpha_bar(torch.tensor(t, dtype=torch.float64)))
    guess = (x - (1 - kept) ** 0.5 * eps) / kept**0.5
    times = torch.full((len(x),), t, dtype=torch.float64, device=x.device)
    with torch.no_grad():
        return answer(weights, features(model, x, times, guess), x)


def features(model: DiffusionModel, x: Tensor, t: Tensor, guess: Tensor) -> Tensor:
    """Inputs of a head: the frozen features, and where there are none x_t, x_0hat and the time, [b, n]."""
    found = model.hidden_features(x, t)
    if found is not None:
        return found
    kept = model.schedule.alpha_bar(t)
    level = ((kept / (1 - kept)).log() / 2).float()[:, None]
    waves = level * torch.arange(1, WAVES + 1, device=x.device) / 2
    return torch.cat([x.flatten(1).float(), guess.flatten(1).float(), level / 4, waves.sin(), waves.cos()], 1)


def fresh(model: DiffusionModel, x: Tensor, generator: Generator) -> dict[str, Tensor]:
    """Initial weights of a head whose output is 0: one layer on features of a network, two more without them."""
    seen = features(model, x, torch.ones(1, dtype=torch.float64, device=x.device), x)
    made, size = {}, seen.shape[1]
    if not model.denoiser.supports("hidden_features"):
        for name in ("first", "second"):
            made[name] = torch.randn(WIDTH, size, generator=generator) * (2 / size) ** 0.5
            made[f"{name}_bias"] = torch.zeros(WIDTH)
            size = WIDTH
    made["out"] = torch.zeros(x.shape[1], size, 3, 3) if seen.ndim == 4 else torch.zeros(x[0].numel(), size)
    made["out_bias"] = torch.zeros(len(made["out"]))
    return {name: part.to(x.device) for name, part in made.items()}


def answer(weights: Mapping[str, Tensor], seen: Tensor, x: Tensor) -> Tensor:
    """Output of the head for every element [b, *shape], float32: norm, SiLU and a linear layer, 3x3 for images."""
    h = seen
    for name in ("first", "second"):
        if name in weights:
            h = F.silu(F.linear(h, weights[name], weights[f"{name}_bias"]))
    if h.ndim == 4:
        h = F.silu(F.group_norm(h, math.gcd(GROUPS, h.shape[1])))
        return F.conv2d(h, weights["out"], weights["out_bias"], padding=1)
    h = F.silu(F.layer_norm(h, h.shape[1:]))
    return F.linear(h, weights["out"], weights["out_bias"]).view(x.shape)
