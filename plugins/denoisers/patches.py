"""Patches of photographs and a network trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch
from harness.stock.denoisers._trained import Trained

from harness import BenchError, Denoiser, hookimpl

if TYPE_CHECKING:
    from harness.stock.denoisers._training import Examples
    from torch import Generator, Tensor

BAND, TRAINED = 128, 96
"""Every 128 columns of a photograph 96 are trained on, the others held out."""


class Patches(Trained):
    """A network trained on colour patches of scikit-learn's two photographs, 640x427, channels in [-1, 1].

    Training takes patches anywhere in four bands of 96 columns and a fifth; `data` are the patches, side by side, of
    the 32 columns after each. Raises BenchError where Pillow, which reads photographs, is missing.
    """

    size: Literal[8, 16] = 8

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return 3, self.size, self.size

    def source(self) -> Examples:
        """Patches from anywhere in the bands to train on."""
        places = _bands()[..., :TRAINED].unfold(2, self.size, 1).unfold(3, self.size, 1)
        bands, _, rows, columns = places.shape[:4]

        def drawn(n: int, generator: Generator) -> Tensor:
            band, row, column = (torch.randint(m, (n,), generator=generator) for m in (bands, rows, columns))
            return places[band, :, row, column]

        return drawn

    def data(self, net: Any) -> Tensor:
        """The patches held out: [2120, 3, 8, 8] or [520, 3, 16, 16]."""
        places = _bands()[..., TRAINED:].unfold(2, self.size, self.size).unfold(3, self.size, self.size)
        return places.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).contiguous()


def _bands() -> Tensor:
    """The bands of both photographs [10, 3, 427, 128]."""
    from sklearn.datasets import load_sample_images

    try:
        photographs = load_sample_images().images
    except ImportError:
        raise BenchError(
            "patches: photographs are read with Pillow, which is not installed: pip install pillow"
        ) from None
    images = torch.stack([torch.from_numpy(image.copy()) for image in photographs]).float().div(127.5).sub(1)
    return images.unflatten(2, (-1, BAND)).permute(0, 2, 4, 1, 3).flatten(0, 1)


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [Patches]
