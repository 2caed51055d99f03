"""The parts of a generating cell, loaded, and what is made of them once for many cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.base import Component, schemas, with_values
from harness.errors import Skip
from harness.exchange import Case
from harness.inputs import call
from harness.protocols._trajectory import costs
from harness.ready import Ready
from harness.streams import generator

DRAWS = 4096
"""Examples that estimates are fitted to, and draws of an exact target that features are made ready with."""


class Parts:
    """A cell's components and its denoiser, ready. Raises Skip with the reason where they do not go together."""

    def __init__(self, case: Case, clip: bool) -> None:
        self._case = case
        self.components: dict[str, Any] = dict(case.parts)
        denoiser: Any = _scheduled(case.parts["denoiser"], self.components.get("schedule"))
        for kind in ("sampler", "variance"):
            reason = self.components[kind].skip(denoiser) if kind in self.components else None
            if reason:
                raise Skip(f"{kind} {self.components[kind]!r}: {reason}")
        net = call(denoiser.load, case.device, weights=case.artifacts.get("denoiser", {}))
        self.denoiser = Ready(denoiser, net, case.device, clip)

    def made(self, kind: str) -> Mapping[str, Tensor]:
        """What is made of the component of a kind: what the case brings, else made now; nothing of most components."""
        if kind not in self.components or not self.components[kind].is_made():
            return {}
        found: Mapping[str, Tensor] | None = self._case.artifacts.get(kind)
        return self.make(kind) if found is None else found

    def make(self, kind: str) -> Mapping[str, Tensor]:
        """Made now."""
        makers: dict[str, Callable[[], Mapping[str, Tensor]]] = {
            "variance": self._fit,
            "feature": lambda: self.components["feature"].prepare(self.data(DRAWS, 0)),
            "grid": lambda: {"cost": self._costs()},
        }
        return makers[kind]()

    @cached_property
    def fitted(self) -> dict[str, Any]:
        """What `Variance.covariance` is given."""
        tensors = {name: part.to(self._case.device) for name, part in self.made("variance").items()}
        return {**tensors, "denoiser": self.denoiser}

    @property
    def covariance(self) -> Callable[..., Any] | None:
        """(x_t, t, s, eps) -> the estimate of Cov[x_0 | x_t]; None where nobody asks for one."""
        if "variance" not in self.components:
            return None
        variance, given = self.components["variance"], self.fitted

        def covariance(x: Tensor, t: float, s: float, eps: Tensor) -> Any:
            return variance.covariance(given, x, t, s, eps)

        return covariance

    def data(self, n: int, seed: int) -> Tensor:
        """What samples are compared with [m, *shape]: all real data, or n draws of an exact target."""
        real = self.denoiser.data()
        return self.denoiser.draw(n, generator(seed, "reference")) if real is None else real

    def _fit(self) -> Mapping[str, Tensor]:
        given = (self.denoiser, self._examples("variance"), generator(0, "variance", "draws"))
        found: Mapping[str, Tensor] = call(self.components["variance"].fit, *given, report=self._case.report)
        return {name: part.detach().cpu() for name, part in found.items()}

    def _examples(self, kind: str) -> Tensor:
        found = self.denoiser.examples(DRAWS, generator(0, kind, "data"))
        if found is None:
            name = self.denoiser.denoiser
            raise Skip(f"{kind} {self.components[kind]!r}: {name!r} has no data that anything could be fitted to")
        return found

    def _costs(self) -> Tensor:
        covariance, sampler = self.covariance, self.components["sampler"]
        if covariance is None:
            raise Skip(f"grid {self.components['grid']!r}: {sampler!r} takes no variance to find costs by")
        given = (self.denoiser, covariance, self.components["variance"].by_step, self._examples("grid"))
        with torch.no_grad():
            return costs(sampler, *given, self._case.report)


def _scheduled(denoiser: Any, schedule: Component | None) -> Any:
    """The denoiser under the suite's schedule. Raises Skip where it knows its own only."""
    if schedule is None:
        return denoiser
    own: type[Component] = type(denoiser)
    if own.is_made() or "schedule" not in schemas(own):
        raise Skip(f"{denoiser!r} was made for its own schedule")
    return with_values(denoiser, {("schedule",): schedule})
