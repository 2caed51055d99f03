"""The generation protocol: samples from the same noise with every contender, compared with the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from harness.base import Component, Spec, schemas, with_values
from harness.errors import BenchError, Skip
from harness.exchange import Case, Session, Values
from harness.fields import Count
from harness.hookspecs import hookimpl
from harness.inputs import call, wanted
from harness.kinds import Protocol
from harness.protocols._exhibit import exhibit
from harness.protocols._features import Features
from harness.protocols._samples import OFFERS, Samples
from harness.ready import Ready
from harness.streams import generator


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

    def setup(self, case: Case) -> Session:
        """Load the denoiser. Raises Skip with the reason where the parts do not go together."""
        return Sampling(self, case)


class Sampling(Session):
    """One denoiser, sampler, grid, variance and prior."""

    def __init__(self, settings: Generation, case: Case) -> None:
        self._settings, self._case = settings, case
        self.parts: dict[str, Any] = dict(case.parts)
        denoiser: Any = scheduled(case.parts)
        for kind in ("sampler", "variance"):
            reason = self.parts[kind].skip(denoiser) if kind in self.parts else None
            if reason:
                raise Skip(f"{kind} {self.parts[kind]!r}: {reason}")
        self.denoiser = loaded(denoiser, case, settings.clip)
        self.times = self._times()
        self.covariance = estimated(self.parts["variance"], self.denoiser) if "variance" in self.parts else None

    @cached_property
    def feature(self) -> Features:
        """In what samples are compared."""
        return Features(self.parts["feature"], self.denoiser, self._settings.samples)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Values:
        """Sample once a seed and let every metric judge."""
        run = Samples(self, self._settings, seeds[0], self._case.report)
        metrics: dict[str, list[float] | None] = {}
        for label, metric in self._case.measure.items():
            names = wanted(metric, 0)
            value = call(metric, **{name: getattr(run, name) for name in OFFERS if name in names})
            metrics[label] = None if value is None else [float(value)]
        return Values(seeds=list(seeds), metrics=metrics, exhibit=partial(exhibit, run))

    def _times(self) -> Tensor:
        settings = self._settings
        steps = settings.steps if settings.nfe is None else self._steps_for(settings.nfe)
        grid = self.parts.get("grid")
        if grid is None:  # the sampler has times of its own, and is told how many
            return torch.linspace(self.denoiser.schedule.steps, 0, steps + 1, dtype=torch.float64)
        times: Tensor = torch.as_tensor(grid.times(self.denoiser.schedule, steps), dtype=torch.float64)
        if len(times) < 2 or not bool((times[1:] < times[:-1]).all()) or float(times[-1]) != 0:
            shown = ", ".join(f"{float(t):g}" for t in times[:5])
            raise BenchError(f"{grid!r} gave times that do not decrease to 0: {shown}{', ...' * (len(times) > 5)}")
        return times

    def _steps_for(self, nfe: int) -> int:
        sampler = self.parts["sampler"]
        steps: int = sampler.steps_for(nfe)
        if steps < 1:
            raise BenchError(f"{sampler!r} takes more than {nfe} evaluation{'s' * (nfe > 1)} of the network")
        return steps


def loaded(denoiser: Any, case: Case, clip: bool = False) -> Ready:
    """The denoiser, ready on the case's device."""
    net = call(denoiser.load, case.device, weights=case.artifacts.get("denoiser", {}))
    return Ready(denoiser, net, case.device, clip)


def estimated(variance: Any, denoiser: Ready) -> Callable[..., Any]:
    """covariance(x_t, t, s, eps), fitted on the denoiser's data, or on draws of its target."""
    data = denoiser.data()
    if data is None:
        data = denoiser.draw(4096, generator(0, "variance", "data"))
    fitted = {**variance.fit(denoiser, data, generator(0, "variance", "draws")), "denoiser": denoiser}

    def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> Any:
        return variance.covariance(fitted, x, t, s, eps)

    return covariance


def scheduled(parts: Mapping[str, Any]) -> Any:
    """The denoiser under the suite's schedule. Raises Skip where it knows its own only."""
    denoiser, schedule = parts["denoiser"], parts.get("schedule")
    if schedule is None:
        return denoiser
    own: type[Component] = type(denoiser)
    if denoiser.trained or "schedule" not in schemas(own):
        raise Skip(f"{denoiser!r} was made for its own schedule")
    return with_values(denoiser, {("schedule",): schedule})


@hookimpl
def components() -> list[type[Component]]:
    """This protocol."""
    return [Generation]
