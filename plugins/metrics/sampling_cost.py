"""What sampling costs: evaluations and time."""

from __future__ import annotations

from typing import ClassVar

from harness import Metric, hookimpl


class NFE(Metric):
    """Evaluations of the network for each sample. Lower is better; counted, without bias or noise."""

    better: ClassVar[str] = "lower"

    def __call__(self, nfe: float) -> float:
        return nfe


class SamplerSeconds(Metric):
    """Time of sampling all samples, the network's aside. Lower is better; what else the machine does adds to it."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"

    def __call__(self, sampler_seconds: float) -> float:
        return sampler_seconds


class DenoiserSeconds(Metric):
    """Time in the network while all samples are made. Lower is better; what else the machine does adds to it."""

    better: ClassVar[str] = "lower"
    unit: ClassVar[str | None] = "s"

    def __call__(self, denoiser_seconds: float) -> float:
        return denoiser_seconds


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [NFE, SamplerSeconds, DenoiserSeconds]
