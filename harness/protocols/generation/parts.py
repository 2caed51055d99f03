"""Loaded parts of a cell of the generation protocol, and the artifacts made from them once for many cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.base import Component, replace_fields, schemas
from harness.conformance import contract, first_call
from harness.diffusion.model import DiffusionModel
from harness.errors import BenchError, Skip
from harness.inputs import call_with_inputs
from harness.kinds import Denoiser, Feature
from harness.kinds.evaluation import CellContext
from harness.protocols.generation.reference import of_data_set, statistics
from harness.protocols.generation.settings import GenerationSettings
from harness.protocols.generation.trajectory import costs
from harness.random import generator
from harness.results.statements import Issue, IssueKind
from harness.results.values import ReferenceKind

if TYPE_CHECKING:
    from harness.kinds.diffusion import Covariance

DRAWS = 4096
"""Number of examples that estimates are fitted to, and of draws of an exact target from which features are prepared."""
TRIED = 512
"""Examples on which a denoiser is compared with the mean of the data."""
STREAMS = {"spacing": "grid"}
"""Random streams not named after their kind: a stream keeps its first name, so that its draws do not change."""


class Parts:
    """A cell's components and its denoiser, loaded, unless it is passed as `loaded` already.

    Raises Skip with the reason if they do not fit together.
    """

    def __init__(self, case: CellContext, settings: GenerationSettings, loaded: DiffusionModel | None = None) -> None:
        self._case = case
        self.components: dict[str, Any] = dict(case.components)
        denoiser = _scheduled(case.components["denoiser"], self.components.get("schedule"))
        for kind in ("sampler", "variance"):
            reason = self.components[kind].skip(denoiser) if kind in self.components else None
            if reason:
                raise Skip(f"{kind} {self.components[kind]!r}: {reason}")
        weights = case.artifacts.get("denoiser", {})
        net = loaded.net if loaded else call_with_inputs(denoiser.load, case.device, weights=weights)
        self.model = DiffusionModel(denoiser, net, case.device, settings.clip_x0, settings.guidance)
        self.labels = _labels(settings.labels, denoiser)
        self.stats_file = str(case.reference.get("stats", ""))
        self._data_set = of_data_set(case, self.model)

    def made(self, kind: str) -> Mapping[str, Tensor]:
        """Return the artifact of the component of a kind, from the case or made now; empty for most components."""
        if kind not in self.components or not self.components[kind].needs_artifact():
            return {}
        found: Mapping[str, Tensor] | None = self._case.artifacts.get(kind)
        return self.build_artifact(kind) if found is None else found

    def build_artifact(self, kind: str) -> Mapping[str, Tensor]:
        """Make the artifact of the component of a kind now."""
        makers: dict[str, Callable[[], Mapping[str, Tensor]]] = {
            "variance": self._fit,
            "feature": self._prepare,
            "spacing": lambda: {"cost": self._costs()},
        }
        return makers[kind]()

    @cached_property
    def fitted(self) -> dict[str, Tensor]:
        """Return the statistics fitted for the variance, on the device."""
        return {name: part.to(self._case.device) for name, part in self.made("variance").items()}

    @property
    def covariance(self) -> Covariance | None:
        """Estimate (x_t, t, s, eps) -> Cov[x_0 | x_t], checked at every call; None if no estimate is needed."""
        if "variance" not in self.components:
            return None
        variance, bound = self.components["variance"], self.bound()

        def checked(x: Tensor, t: float, s: float, eps: Tensor) -> float | Tensor:
            found = bound(x, t, s, eps)
            contract.estimate(variance, found, x, eigenvalues=False)
            return found

        return checked

    def bound(self) -> Covariance:
        """Return the estimate as its variance gives it, as it is timed."""
        found: Covariance = self.components["variance"].bind(self.model, self.fitted)
        return found

    @cached_property
    def stats(self) -> tuple[Tensor, Tensor] | None:
        """Mean [d] and covariance [d, d] of the reference's features, where the suite has a file of them."""
        return statistics(self.stats_file) if self.stats_file else None

    @cached_property
    def real(self) -> Tensor | None:
        """Real data [n, *shape]: those of the suite's data set, or else of the denoiser; None without any."""
        return self.model.reference_data() if self._data_set is None else self._data_set.to(self.model.device)

    def data(self, n: int, seed: int) -> Tensor:
        """Return the reference of samples [m, *shape]: all real data, or n draws of an exact target."""
        return self.model.sample(n, generator(seed, "reference")) if self.real is None else self.real

    def reference_identity(self, n: int) -> tuple[ReferenceKind, str | None, int | None]:
        """Return the kind, name and size of the reference of n samples."""
        if self.stats is not None:
            return ReferenceKind.STATS, Path(self.stats_file).name, None
        if self.real is None:
            return ReferenceKind.TARGET, None, n
        if self._data_set is None:
            return ReferenceKind.DATA, None, len(self.real)
        return ReferenceKind.DATASET, repr(self.components["dataset"]), len(self.real)

    def _fit(self) -> Mapping[str, Tensor]:
        given = (self.model, self._examples("variance"), generator(0, "variance", "draws"))
        found = call_with_inputs(self.components["variance"].fit, *given, on_progress=self._case.on_progress)
        fitted = contract.statistics(self.components["variance"], found)
        return {name: part.detach().cpu() for name, part in fitted.items()}

    def _prepare(self) -> Mapping[str, Tensor]:
        feature = self.components["feature"]
        return contract.statistics(feature, feature.prepare(self._shown(feature)), "prepare")

    def _shown(self, feature: Feature) -> Tensor:
        """Return the data that a feature is prepared from; zeros for one that takes only their shape."""
        try:
            return self.data(DRAWS, 0)
        except BenchError:
            if feature.needs_data:
                raise Skip(f"feature {feature!r} is prepared from data, and there are none") from None
            return torch.zeros(1, *self.model.shape, device=self.model.device)

    def _examples(self, kind: str) -> Tensor:
        draws = generator(0, STREAMS.get(kind, kind), "data")
        found = self.model.training_samples(DRAWS, draws)
        if found is None and self.real is not None:
            found = self.real[torch.randint(len(self.real), (DRAWS,), generator=draws).to(self.model.device)]
        if found is None:
            name = self.model.denoiser
            raise Skip(f"{kind} {self.components[kind]!r}: {name!r} has no data that anything could be fitted to")
        return found

    def _costs(self) -> Tensor:
        covariance, sampler = self.covariance, self.components["sampler"]
        if covariance is None:
            raise Skip(f"spacing {self.components['spacing']!r}: {sampler!r} takes no variance to find costs by")
        given = (self.model, covariance, self.components["variance"].depends_on_s, self._examples("spacing"))
        with torch.no_grad():
            return costs(sampler, *given, self._case.on_progress)


def declared(
    components: Mapping[str, Component], labels: int | Sequence[int] | None, guidance: float | None
) -> Denoiser:
    """Return a denoiser on the suite's schedule. Raises BenchError where it declares no such labels or no guidance."""
    denoiser = _scheduled(components["denoiser"], components.get("schedule"))
    DiffusionModel(denoiser, None, guidance=guidance)
    _labels(labels, denoiser)
    return denoiser


def evaluated(denoiser: Denoiser, device: str, labels: int | Sequence[int] | None, guidance: float | None) -> None:
    """Load a denoiser and predict once, halfway in time. Raises BenchError for what does not fit."""
    net = call_with_inputs(denoiser.load, device, weights={})
    model = DiffusionModel(denoiser, net, device, guidance=guidance)
    chosen = _labels(labels, denoiser)
    with model.given(None if chosen is None else chosen[0]):
        first_call.try_denoiser(model, float(max(1, model.schedule.num_train_timesteps // 2)))


def useless(parts: Parts) -> Iterator[Issue]:
    """Yield an issue if the data predicted at equal signal and noise are no better than the mean of the data."""
    model = parts.model
    if model.denoiser.classes is not None:  # nothing says which classes the data are of
        return
    try:
        data = parts.data(TRIED, 0)[:TRIED]
    except BenchError:  # there are no data to compare with
        return
    times = torch.arange(1, model.schedule.num_train_timesteps + 1, dtype=torch.float64)
    level = model.schedule.alpha_bar(times)
    place = int((level - 0.5).abs().argmin())
    kept, eps = float(level[place]), torch.randn(data.shape, generator=generator(0, "reference"), dtype=data.dtype)
    model = DiffusionModel(model.denoiser, model.net, model.device)  # one whose evaluations are not counted
    x = kept**0.5 * data + (1 - kept) ** 0.5 * eps.to(data.device)
    try:
        with torch.no_grad():
            error = float((data - model.x0(x, float(times[place]))).double().square().mean())
    except BenchError:  # sampling says more of it, where it gets there
        return
    spread = float((data - data.mean(0)).double().square().mean())
    if error >= spread > 0:
        yield Issue(IssueKind.USELESS_DENOISER, name=repr(model.denoiser), value=error, bound=spread)


def _labels(asked: int | Sequence[int] | None, denoiser: Denoiser) -> Tensor | None:
    """Return the classes that labels are drawn from; None for a denoiser without any. Raises BenchError for others."""
    if denoiser.classes is None:
        if asked is not None:
            raise BenchError(f"labels: {denoiser!r} is unconditional: it declares no classes")
        return None
    chosen = range(denoiser.classes) if asked is None else [asked] if isinstance(asked, int) else [*asked]
    wrong = [label for label in chosen if label >= denoiser.classes]
    if wrong or not len(chosen):
        raise BenchError(f"labels: {denoiser!r} has the classes 0 to {denoiser.classes - 1}, not {wrong or 'none'}")
    return torch.tensor([*chosen])


def _scheduled(denoiser: Component, schedule: Component | None) -> Denoiser:
    """Return the denoiser with the suite's schedule. Raises Skip if it supports only its own."""
    assert isinstance(denoiser, Denoiser)
    if schedule is None:
        return denoiser
    own = type(denoiser)
    if own.needs_artifact() or "schedule" not in schemas(own):
        raise Skip(f"{denoiser!r} was made for its own schedule")
    return replace_fields(denoiser, {("schedule",): schedule})
