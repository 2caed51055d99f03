"""The generation protocol: draw samples from the same noise with every contender, and compare them with the target."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from harness.base import Component
from harness.hookspecs import hookimpl
from harness.kinds.evaluation import CellContext, CellRunner
from harness.protocols.generation.parts import Parts
from harness.protocols.generation.session import Sampling
from harness.protocols.generation.settings import GenerationSettings


class Generation(GenerationSettings):
    """Draws samples and compares their distribution with that of the target.

    A seed draws x_T and the noise of every step, the same for all contenders. `steps` are the steps of the spacing;
    `nfe` asks instead for as many as take that many network evaluations. `clip_x0` keeps every prediction of x_0 in the
    data's range. `noise_last_step` asks samplers that add noise to do so on the jump to s = 0 too; others ignore it.
    A denoiser with classes predicts for a label of each sample, drawn uniformly from all classes or from those of
    `labels`; with `guidance` w it predicts u + w (c - u), c for the label and u for none: two evaluations.
    """

    def build_artifact(self, kind: str, case: CellContext) -> Mapping[str, Tensor]:
        """Statistics of a denoiser, statistics of the data for a feature, or the cost of every step of a spacing."""
        return Parts(case, self).build_artifact(kind)

    def setup(self, case: CellContext) -> CellRunner:
        """Load the denoiser. Raises Skip with the reason if the parts do not fit together."""
        return Sampling(self, case)


@hookimpl
def components() -> list[type[Component]]:
    """Return the component classes of this module."""
    return [Generation]
