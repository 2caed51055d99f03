"""Feature space in which samples are compared with their target."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from harness.conformance import contract, first_call
from harness.protocols.generation.parts import Parts
from harness.protocols.generation.reference import check_width


class Features:
    """The suite's feature, applied to samples and to their reference."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._tried = parts, False

    @cached_property
    def _prepared(self) -> dict[str, Tensor]:
        """Return the feature's statistics of the reference data, computed only if a metric requests features."""
        return {name: part.to(self._parts.model.device) for name, part in self._parts.made("feature").items()}

    def of(self, samples: Tensor) -> Tensor:
        """Map samples [n, *shape] to features [n, d]."""
        feature = self._parts.components["feature"]
        if not self._tried:
            self._tried = True
            first_call.try_feature(feature, self._prepared, samples[: first_call.FEW].clone())
        return contract.features(feature, feature(self._prepared, samples), len(samples))

    def check(self, x: Tensor) -> None:
        """Raise BenchError if the suite's file of statistics is not one of this feature, of samples like x."""
        if self._parts.stats is not None:
            width = self.of(x).shape[1]
            check_width(self._parts.stats_file, self._parts.stats[0], self._parts.components["feature"], width)

    @cached_property
    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Moments of the features: of the suite's file, or exact ones if they are the samples of a known target."""
        denoiser = self._parts.model
        if self._parts.stats is not None:
            return self._parts.stats
        if "dataset" in self._parts.components:
            return None
        found = denoiser.moments()
        if found is None:
            return None
        probe = torch.arange(2.0 * len(found[0])).view(2, *denoiser.shape)
        return found if torch.equal(self.of(probe), probe.flatten(1)) else None
