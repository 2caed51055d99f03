"""The generation protocol: samples from the same noise with every contender, compared with the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.base import Component, Spec
from harness.errors import BenchError, Skip
from harness.exchange import Case, Session, Values
from harness.fields import Count
from harness.hookspecs import hookimpl
from harness.kinds import Protocol
from harness.protocols._exhibit import exhibit
from harness.protocols._features import Features
from harness.protocols._parts import Parts
from harness.protocols._samples import OFFERS, Samples


class Generation(Protocol):
    """Draws samples and compares their distribution with that of the target.

    A seed draws x_T and the noise of every step, the same for all contenders. `steps` are the steps of the grid; `nfe`
    asks for as many as cost that many network evaluations instead. `clip` keeps every guess of x_0 in the data's range.
    `last_noise` asks samplers that add noise to do so on the jump to s = 0 too; others are as without it.
    """

    steps: Count = 50
    nfe: Count | None = None
    samples: Count = 2048
    batch: Count = 2048
    clip: bool = False
    last_noise: bool = False

    needs: ClassVar[Mapping[str, Spec | None]] = {
        "denoiser": None,
        "sampler": None,
        "grid": {"name": "even"},
        "variance": {"name": "beta_tilde"},
        "prior": {"name": "normal"},
        "feature": {"name": "pixels"},
    }
    optional: ClassVar[Sequence[str]] = ("schedule",)
    contenders: ClassVar[Sequence[str]] = ("sampler", "variance", "prior")
    offers: ClassVar[Sequence[str]] = OFFERS

    made_of: ClassVar[Mapping[str, Sequence[str]]] = {
        "denoiser": (),
        "variance": ("denoiser", "schedule", "clip"),
        "feature": ("denoiser",),
        "grid": ("denoiser", "schedule", "variance", "sampler", "clip"),
    }

    def make(self, kind: str, case: Case) -> Mapping[str, Tensor]:
        """What is fitted to a denoiser, what a feature needs of the data, what every step of a grid costs."""
        return Parts(case, self.clip).make(kind)

    def setup(self, case: Case) -> Session:
        """Load the denoiser. Raises Skip with the reason where the parts do not go together."""
        return Sampling(self, case)


class Sampling(Session):
    """One denoiser, sampler, grid, variance and prior."""

    def __init__(self, settings: Generation, case: Case) -> None:
        self._settings, self._case = settings, case
        self.parts = Parts(case, settings.clip)
        self.denoiser, self.components = self.parts.denoiser, self.parts.components
        self.times = self._times()
        self.covariance = self.parts.covariance
        said = self.components["variance"].about(self.parts.fitted) if "variance" in self.components else None
        self.notes = list(filter(None, [self._rounded(), said]))

    @cached_property
    def feature(self) -> Features:
        """In what samples are compared."""
        return Features(self.parts)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Sample once a seed and let every metric judge."""
        run = Samples(self, self._settings, seeds[0], self._case.report)
        metrics: dict[str, list[float] | None] = {}
        notes = []
        for label, metric in self._case.measure.items():
            value = None
            try:
                value = run.asked(metric)
            except Skip as reason:
                notes.append(f"{label}: {reason}")
            metrics[label] = None if value is None else [float(value)]
        kept = partial(exhibit, run, self._case.measure)
        return Values(seeds=list(seeds), metrics=metrics, notes=notes, exhibit=kept)

    def _times(self) -> Tensor:
        settings = self._settings
        steps = settings.steps if settings.nfe is None else self._steps_for(settings.nfe)
        grid = self.components.get("grid")
        if grid is None:  # the sampler has times of its own, and is told how many
            return torch.linspace(self.denoiser.schedule.steps, 0, steps + 1, dtype=torch.float64)
        times: Tensor = torch.as_tensor(self._on(grid, steps), dtype=torch.float64)
        if len(times) < 2 or not bool((times[1:] < times[:-1]).all()) or float(times[-1]) != 0:
            shown = ", ".join(f"{float(t):g}" for t in times[:5])
            raise BenchError(f"{grid!r} gave times that do not decrease to 0: {shown}{', ...' * (len(times) > 5)}")
        return times

    def _rounded(self) -> str | None:
        """What happens to times that the network does not know."""
        whole = bool((self.times == self.times.round()).all())
        return f"times are rounded for {self.denoiser.denoiser!r}" if self.denoiser.discrete and not whole else None

    def _on(self, grid: Any, steps: int) -> Tensor:
        cost = self.parts.made("grid").get("cost")
        found: Tensor = grid.times(self.denoiser.schedule, steps, cost)
        return found

    def _steps_for(self, nfe: int) -> int:
        sampler = self.components["sampler"]
        steps: int = sampler.steps_for(nfe)
        if steps < 1:
            raise BenchError(f"{sampler!r} takes more than {nfe} evaluation{'s' * (nfe > 1)} of the network")
        return steps


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Generation]
