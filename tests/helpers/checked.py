"""A plugin for `bench check`: a sampler that claims too much, losses that work, end their process or never answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor

from harness import Component, DiffusionModel, Loss, NoiseSource, Sampler, hookimpl


class Boaster(Sampler):
    """Euler's method under the name of a better one."""

    order: ClassVar[float | None] = 2
    unused_kinds: ClassVar = ("variance",)

    def sample(
        self,
        denoiser: DiffusionModel,
        covariance: Callable[..., Tensor] | None,
        x: Tensor,
        times: Tensor,
        noise: NoiseSource,
    ) -> Tensor:
        for t, s in pairwise(times.tolist()):
            x0, eps = denoiser.x0_and_eps(x, t)
            kept = float(denoiser.schedule.alpha_bar(torch.tensor(s)))
            x = kept**0.5 * x0 + (1 - kept) ** 0.5 * eps
        return x


class Moody(Loss):
    """Cross-entropy, in one mood."""

    mood: Literal["good", "crash", "hang"] = "good"

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        if self.mood == "crash":
            os.kill(os.getpid(), 11)
        if self.mood == "hang":
            time.sleep(60)
        return torch.nn.functional.cross_entropy(logits, target, reduction="none")


@hookimpl
def components() -> list[type[Component]]:
    return [Boaster, Moody]
