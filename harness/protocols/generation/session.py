"""One cell of the generation protocol: sample once per seed and evaluate every metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from harness.conformance import contract, first_call
from harness.diffusion.model import DiffusionModel
from harness.errors import BenchError
from harness.kinds.evaluation import CellContext, CellRunner, Measurements
from harness.protocols.generation.features import Features
from harness.protocols.generation.figure_data import figure_data
from harness.protocols.generation.parts import Parts, useless
from harness.protocols.generation.resolution import resolution
from harness.protocols.generation.samples import Samples
from harness.protocols.generation.settings import METRIC_INPUTS, GenerationSettings
from harness.protocols.judging import judged

LONG = 10.0
"""Seconds of a seed from which the estimate of a metric is said before it starts."""


class Sampling(CellRunner):
    """One denoiser, sampler, spacing, variance and prior."""

    def __init__(self, settings: GenerationSettings, case: CellContext, loaded: DiffusionModel | None = None) -> None:
        self._settings, self._case = settings, case
        self.parts = Parts(case, settings, loaded)
        self.model, self.components = self.parts.model, self.parts.components
        first_call.try_schedule(self.model.schedule)
        self.times = self._times()
        self._feature = Features(self.parts)
        self._resolution: dict[str, float] | None = None
        said = (
            self.components["variance"].summary(self.model, self.parts.fitted)
            if "variance" in self.components
            else None
        )
        self.notes = list(filter(None, [self._rounded(), self._chosen(), said]))
        with self.model.given(None if self.parts.labels is None else self.parts.labels[0]):
            tried = self._try()
        self.slow = self._slow(tried)
        self.issues = list(useless(self.parts))

    def _slow(self, x: Tensor) -> dict[str, float]:
        """Return the metrics that take long by their own estimates, with the seconds of a seed; x are some samples."""
        asked = {label: getattr(metric, "estimated_seconds", None) for label, metric in self._case.metrics.items()}
        if not any(asked.values()) or "feature" not in self.components:
            return {}
        n, width, real = self._settings.samples, self._feature.of(x).shape[1], self.parts.real
        m = None if self._feature.moments is not None else n if real is None else len(real)
        found = {label: float(estimate(n, m, width)) for label, estimate in asked.items() if estimate is not None}
        return {label: seconds for label, seconds in found.items() if seconds >= LONG}

    def _try(self) -> Tensor:
        """Try one evaluation, one estimate and two steps for a few samples, and return them.

        Raises BenchError for invalid results.
        """
        covariance = self.parts.covariance
        if "prior" in self.components:  # the speed protocol has none
            first_call.try_prior(self.components["prior"], self.model.shape)
        x, eps = first_call.try_denoiser(self.model, float(self.times[0]))
        if "feature" in self.components:  # the speed protocol has none
            self._feature.check(x)
        if covariance is not None:
            first_call.try_variance(self.components["variance"], covariance, x, eps, self.times)
        first_call.try_sampler(self.components["sampler"], self.model, covariance, x, self.times)
        return x

    def samples(self, seed: int) -> Samples:
        """Return the inputs that metrics may request for one seed."""
        settings = self._settings
        return Samples(self.parts, self._feature, self.times, settings, seed, self._case.on_progress)

    def measure(self, seeds: Sequence[int], tuned: Mapping[str, Any]) -> Measurements:
        """Sample once per seed and evaluate every metric."""
        run = self.samples(seeds[0])
        metrics, skipped = judged(self._case.metrics, run, METRIC_INPUTS)
        if self._resolution is None:
            self._resolution = resolution(self._case.metrics, run, metrics)
        kept = partial(figure_data, run, self._case.metrics)
        return Measurements(
            seeds=list(seeds),
            metrics=metrics,
            auxiliary=_costs(run) if run.are_drawn else {},
            skipped=skipped,
            figure_data=kept,
            excluded_reason=self._off_budget(run) if run.are_drawn else None,
            resolution=self._resolution,
            compared_features=run.compared_features,
            overridden=self._overridden(),
        )

    def _overridden(self) -> dict[str, str]:
        """Return the settings of libraries' parts that have no effect, and what is used instead."""
        parts = [(kind, self.components[kind]) for kind in ("denoiser", "sampler")]
        return {f"{kind}.{name}": what for kind, part in parts for name, what in part.overridden().items()}

    def _off_budget(self, run: Samples) -> str | None:
        """Return why a row cannot be ranked at the requested evaluations: it takes more, or less than half of them."""
        budget, used = self._settings.nfe, run.nfe
        if budget is None or self.components["sampler"].is_control or budget / 2 <= used <= budget * (1 + 1e-9):
            return None
        return f"takes {used:g} evaluations of the network per sample where {budget} are the budget"

    def _times(self) -> Tensor:
        settings = self._settings
        steps = settings.steps if settings.nfe is None else self._steps_for(settings.nfe)
        spacing = self.components.get("spacing")
        if spacing is None:  # the sampler has its own times and receives their number
            return torch.linspace(self.model.schedule.num_train_timesteps, 0, steps + 1, dtype=torch.float64)
        cost = self.parts.made("spacing").get("cost")
        schedule = self.model.schedule
        return contract.times(spacing, spacing.times(schedule, steps, cost), schedule.num_train_timesteps, steps)

    def _rounded(self) -> str | None:
        """Return a note if times are rounded to those that the network supports."""
        whole = bool((self.times == self.times.round()).all())
        return f"times are rounded for {self.model.denoiser!r}" if self.model.discrete_time and not whole else None

    def _chosen(self) -> str | None:
        """Return a note if the samples are of chosen classes, whatever the reference is of."""
        if self._settings.labels is None or self.parts.labels is None:
            return None
        chosen = dict.fromkeys(self.parts.labels.tolist())
        noun = "class" if len(chosen) == 1 else "classes"
        return f"samples of the {noun} {', '.join(map(str, chosen))}, whatever the reference is of"

    def _steps_for(self, nfe: int) -> int:
        sampler = self.components["sampler"]
        steps: int = sampler.steps_for_nfe(nfe // self.model.evaluations)
        if steps < 1:
            raise BenchError(f"{sampler!r} takes more than {nfe} evaluation{'s' * (nfe > 1)} of the network")
        return steps


def _costs(run: Samples) -> dict[str, list[float]]:
    """Return the network evaluations used for each sample, and the derivatives through the network, if any."""
    derivatives = {"derivative passes": [run.derivatives]} if run.derivatives else {}
    return {"used nfe": [run.nfe], **derivatives}
