"""Normal draws beside those of another prior, for controls that take its norms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, call_with_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Generator, Tensor


def beside(
    prior: Prior, shape: Sequence[int], generator: Generator, on_progress: Callable[..., None]
) -> tuple[Tensor, Tensor, Tensor]:
    """Normal draws of the given shape, their norms [n], and the norms [n] of as many draws of another prior."""
    x = torch.randn(*shape, generator=generator)
    other: Tensor = call_with_inputs(prior.draw, shape, generator, on_progress=on_progress)
    norms, wanted = (part.flatten(1).norm(dim=1) for part in (x, other))
    return x, norms, wanted
