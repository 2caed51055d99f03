"""Cost of sampling: network evaluations and time."""

from __future__ import annotations

from typing import ClassVar

from harness import Metric, hookimpl


class NFE(Metric):
    """Number of network evaluations for each sample.

    Lower is better; counted, without bias or noise.
    """

    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, nfe: float) -> float:
        return nfe


class SamplerSeconds(Metric):
    """Time of sampling all samples, without the time of the network.

    Lower is better; other load on the machine adds to it.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "s"

    def __call__(self, sampler_seconds: float) -> float:
        return sampler_seconds


class DenoiserSeconds(Metric):
    """Time of the network while all samples are drawn.

    Lower is better; other load on the machine adds to it.
    """

    higher_is_better: ClassVar[bool | None] = False
    unit: ClassVar[str | None] = "s"

    def __call__(self, denoiser_seconds: float) -> float:
        return denoiser_seconds


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [NFE, SamplerSeconds, DenoiserSeconds]
