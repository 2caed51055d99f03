"""The transform protocol: validity, accuracy, shape and cost of transforms from logits to probabilities."""

from __future__ import annotations

import torch

from harness.base import Component
from harness.hookspecs import hookimpl
from harness.kinds.evaluation import CellContext, CellRunner
from harness.protocols.transform.session import Feeding
from harness.protocols.transform.settings import TransformSettings


class Transform(TransformSettings):
    """Applies transforms to random logits and measures the outputs.

    A seed draws `batch` rows of `n` normal logits with deviation 2. Only quantities that a metric requests are
    computed.
    """

    def setup(self, case: CellContext) -> CellRunner:
        """Set up a cell; times are those of one thread."""
        torch.set_num_threads(1)
        return Feeding(self, case)


@hookimpl
def components() -> list[type[Component]]:
    """Return the component classes of this module."""
    return [Transform]
