"""Components of which something is made beforehand: each notes in a file of its own name that it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from harness import Denoiser, Feature, Schedule, Spacing, Variance, hookimpl, named


def note(what: str) -> None:
    with Path("made.txt").open("a") as file:
        file.write(f"{what}\n")


class Taught(Denoiser):
    """Guesses the number that training made."""

    shape: ClassVar = (2,)
    schedule: Schedule = named("linear")
    broken: bool = False
    louder: float = 1.0
    not_in_artifact: ClassVar[Sequence[str]] = ("louder",)

    def train(self, generator: Generator, on_progress: Any) -> dict[str, Tensor]:
        """A quarter."""
        note(f"train {self.louder}")
        if self.broken:
            raise OSError("the weights are gone")
        return {"guess": torch.tensor(0.25)}

    def load(self, device: str, weights: Mapping[str, Tensor]) -> Tensor:  # type: ignore[override]
        """The number."""
        return weights["guess"] * self.louder

    def predict(self, net: Tensor, x: Tensor, t: Tensor) -> Tensor:
        """The number, everywhere."""
        return torch.full_like(x, float(net))

    def sample(self, net: Tensor, n: int, generator: Generator) -> Tensor:
        """Standard normal."""
        return torch.randn(n, 2, generator=generator)


class Counted(Variance):
    """The guess that it was fitted to, times a factor that the fit does not know."""

    factor: float = 1.0
    how: str = ""
    not_in_artifact: ClassVar[Sequence[str]] = ("factor",)

    def skip(self, denoiser: Denoiser) -> str | None:
        """On request."""
        return "it was asked not to" if self.how == "skip" else None

    def fit(self, model: Any, data: Tensor, generator: Generator) -> dict[str, Tensor]:
        """The guess."""
        note(f"fit {self.factor} {float(model.eps(data[:1], 5.0)[0, 0])}")
        if self.how == "fail":
            raise ValueError("nothing fits")
        return {"c": model.eps(data[:1], 5.0)[0, 0]}

    def summary(self, model: Any, fitted: Mapping[str, Tensor]) -> str:
        """The number."""
        return f"fitted {float(fitted['c']):g}"

    def posterior_variance(
        self, model: Any, fitted: Mapping[str, Any], x: Tensor, t: float, s: float, eps: Tensor
    ) -> float:
        """It."""
        return float(fitted["c"]) * self.factor


class Seen(Feature):
    """The samples, shifted by what it noted of the data."""

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """How many."""
        note(f"prepare {len(data)}")
        return {"n": torch.tensor(float(len(data)))}

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return x + prepared["n"]


class Cheap(Spacing):
    """The step to 0 from the time that is cheapest to reach."""

    costs: ClassVar[bool] = True

    def times(self, schedule: Schedule, steps: int, cost: Tensor | None = None) -> Tensor:
        """T, that time, 0."""
        assert cost is not None and cost.shape == (schedule.num_train_timesteps + 1, schedule.num_train_timesteps + 1)
        note(f"cost {float(cost[7, 3]):.6f}")
        return torch.tensor([float(schedule.num_train_timesteps), 1.0, 0.0])


@hookimpl
def components() -> list[type[Any]]:
    return [Taught, Counted, Seen, Cheap]
