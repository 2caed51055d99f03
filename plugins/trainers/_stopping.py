"""Early stopping: the epoch with the least loss on the validation part, and its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from harness import TrainingJob


def no_validation(job: TrainingJob) -> str | None:
    """Reason why nothing says when to stop, or None."""
    if job.settings.patience is None or job.validation.index.shape[1]:
        return None
    return "the data set has no validation part, by which patience would stop"


class Stopping:
    """The best epoch of each lane, counted from 1, and a copy of the weights after it.

    A lane is over after `patience` epochs in a row without a smaller loss; what comes later does not count for it. A
    loss that is not a number is never smaller.
    """

    def __init__(self, patience: int, lanes: int) -> None:
        self._patience = patience
        self._least = torch.full((lanes,), torch.inf)
        self._epochs = torch.zeros(lanes, dtype=torch.int64)
        self._kept: list[Tensor] = []

    @property
    def epochs(self) -> list[int]:
        """Best epoch of each lane so far."""
        return self._epochs.tolist()

    def over(self, epoch: int) -> bool:
        """Whether every lane is over after an epoch."""
        return bool((epoch - self._epochs >= self._patience).all())

    @torch.no_grad()
    def look(self, epoch: int, losses: Tensor, weights: Sequence[Tensor]) -> None:
        """Compare the losses [lanes] after an epoch; `weights` are tensors [lanes, ...] after it."""
        losses = losses.float().cpu()
        running = epoch - 1 - self._epochs < self._patience
        better = running & (losses < self._least)
        self._least = torch.where(better, losses, self._least)
        better |= running & (self._epochs == 0)
        self._epochs[better] = epoch
        if not self._kept:
            self._kept = [weight.detach().clone() for weight in weights]
        for kept, weight in zip(self._kept, weights, strict=True):
            where = better.to(kept.device)
            kept[where] = weight.detach()[where]

    @torch.no_grad()
    def restore(self, weights: Sequence[Tensor]) -> None:
        """Write the weights of each lane's best epoch into the tensors that `look` was given."""
        for weight, kept in zip(weights, self._kept, strict=True):
            weight.detach().copy_(kept)

    def state(self) -> dict[str, Any]:
        """State that a later process continues from."""
        return {"least": self._least, "epochs": self._epochs, "kept": self._kept}

    def load(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._least, self._epochs, self._kept = state["least"].cpu(), state["epochs"].cpu(), state["kept"]
