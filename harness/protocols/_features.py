"""The space in which samples are compared with their target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from harness.ready import Ready
from harness.streams import generator


class Features:
    """The suite's feature of samples, and of what they are compared with."""

    def __init__(self, feature: Any, denoiser: Ready, samples: int) -> None:
        self._feature, self._denoiser, self._samples = feature, denoiser, samples
        self._real = denoiser.data()

    @cached_property
    def _prepared(self) -> Mapping[str, Tensor]:
        """What the feature makes ready, which may be a network trained: only where a metric asks for features."""
        result: Mapping[str, Tensor] = self._feature.prepare(self.data(0))
        return result

    def of(self, samples: Tensor) -> Tensor:
        """[n, *shape] -> [n, d]."""
        result: Tensor = self._feature(self._prepared, samples)
        return result

    def data(self, seed: int) -> Tensor:
        """[m, *shape]: the real data, or as many draws of an exact target as there are samples."""
        if self._real is not None:
            return self._real
        return self._denoiser.draw(self._samples, generator(seed, "reference"))

    @cached_property
    def moments(self) -> tuple[Tensor, Tensor] | None:
        """Exact moments of the features, where they are the samples themselves and the target is known."""
        found = self._denoiser.moments()
        if found is None:
            return None
        probe = torch.arange(2.0 * len(found[0])).view(2, *self._denoiser.shape)
        return found if torch.equal(self.of(probe), probe.flatten(1)) else None
