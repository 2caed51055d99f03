"""Handwritten digits and a network trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from harness.stock.denoisers._trained import Trained

from harness import Denoiser, hookimpl

if TYPE_CHECKING:
    from harness.stock.denoisers._training import Examples
    from torch import Generator, Tensor


class Digits(Trained):
    """A network trained on real 8x8 scans of handwritten digits (Alpaydin and Kaynak, 1998), grey in [-1, 1].

    Of the 1,797 scans two of every nine are held out, 400 in all, and are `data`; the split is fixed. 5,000 steps of
    training take the `mlp` about a CPU-minute, the `unet` about four; it learns more from each.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return 1, 8, 8

    def source(self) -> Examples:
        """The 1,397 scans to train on, drawn with replacement."""
        scans = _scans(held_out=False)

        def drawn(n: int, generator: Generator) -> Tensor:
            return scans[torch.randint(len(scans), (n,), generator=generator)]

        return drawn

    def data(self, net: Any) -> Tensor:
        """The 400 scans held out [400, 1, 8, 8]."""
        return _scans(held_out=True)


def _scans(held_out: bool) -> Tensor:
    from sklearn.datasets import load_digits

    scans = torch.from_numpy(load_digits().images).float().div(8).sub(1)[:, None]
    # Nine and the ten digits, which the file repeats in order, have no common divisor: every digit is held out.
    return scans[(torch.arange(len(scans)) % 9 < 2) == held_out]


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Digits]
