"""Normal start shrunk toward its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness import Prior, UnitInterval, hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor


class Truncated(Prior):
    """Normal draws shrunk toward their mean (Karras et al., 2019).

    `psi` times a normal draw, the truncation of latents of Karras et al., 2019, appendix B. psi = 1 is `normal`, draw
    for draw; psi = 0 is the mean alone. Despite the name nothing is cut off.
    """

    reference = """
    @inproceedings{karras2019style, author = {Karras, Tero and Laine, Samuli and Aila, Timo}, title = {A Style-Based
      Generator Architecture for Generative Adversarial Networks}, booktitle = {IEEE/CVF Conference on Computer
      Vision and Pattern Recognition}, year = {2019}}"""

    psi: UnitInterval = 0.7

    def draw(self, shape: Sequence[int], generator: Generator) -> Tensor:
        """Float32 draws of the given shape."""
        return self.psi * torch.randn(*shape, generator=generator)


@hookimpl
def components() -> list[type[Prior]]:
    """The component classes of this module."""
    return [Truncated]
