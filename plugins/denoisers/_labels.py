"""Class labels by the name that a network has for them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from harness import BenchError

if TYPE_CHECKING:
    from torch import Tensor, nn

NAMES = ("class_labels", "y", "labels", "class_label")
"""Names of the argument in the libraries diffusers and improved-diffusion, and in others."""


def by_name(net: nn.Module, labels: Tensor | None) -> dict[str, Tensor]:
    """The argument for labels [b], int64; none for no labels. Raises BenchError for a network that takes none."""
    if labels is None:
        return {}
    taken = inspect.signature(net.forward).parameters
    name = next((name for name in NAMES if name in taken), None)
    if name is None:
        network = type(net).__name__
        raise BenchError(
            f"{network}.forward takes no labels: it has no argument {', '.join(NAMES[:-1])} or {NAMES[-1]}"
        )
    return {name: labels}
