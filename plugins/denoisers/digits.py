"""Handwritten digits and a network trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from harness import Denoiser, hookimpl

from ._trained import Trained

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ._training import ExampleSource


class Digits(Trained):
    """Network trained on scans of digits (Alpaydin and Kaynak, 1998).

    Real 8x8 scans, gray in [-1, 1]. Of the 1,797 scans two of every nine are held out, 400 in all, and are the
    `reference_data`; the split is fixed. 5,000 steps of training take the `mlp` about a CPU-minute, the `unet` about
    four; it learns more from each.
    """

    reference = """
    @misc{alpaydin1998digits, author = {Alpaydin, Ethem and Kaynak, Cenk}, title = {Optical Recognition of
      Handwritten Digits}, howpublished = {UCI Machine Learning Repository}, year = {1998}}"""

    shape = (1, 8, 8)

    def source(self) -> ExampleSource:
        """The 1,397 scans to train on, drawn with replacement."""
        scans = _scans(held_out=False)

        def drawn(n: int, generator: Generator) -> Tensor:
            return scans[torch.randint(len(scans), (n,), generator=generator)]

        return drawn

    def reference_data(self, net: Any) -> Tensor:
        """The 400 scans held out [400, 1, 8, 8]."""
        return _scans(held_out=True)


def _scans(held_out: bool) -> Tensor:
    from sklearn.datasets import load_digits

    scans = torch.from_numpy(load_digits().images).float().div(8).sub(1)[:, None]
    # The file repeats the ten digits in order; nine and ten have no common divisor, so every digit is held out.
    return scans[(torch.arange(len(scans)) % 9 < 2) == held_out]


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Digits]
