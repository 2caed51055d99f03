"""Patches of photographs and a network trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import torch

from harness import BenchError, Denoiser, derived, hookimpl

from ._trained import Trained

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ._training import ExampleSource

BAND, TRAINED = 128, 96
"""Of every 128 columns of a photograph 96 are trained on, the others held out."""


class Patches(Trained):
    """Network trained on color patches of two photographs.

    scikit-learn's photographs of 640x427, channels in [-1, 1]. Training takes patches anywhere in four bands of 96
    columns and a fifth; the `reference_data` are the patches, side by side, of the 32 columns after each. Raises
    BenchError where Pillow, which reads photographs, is missing.
    """

    size: Literal[8, 16] = 8

    shape = derived(lambda self: (3, self.size, self.size))

    def source(self) -> ExampleSource:
        """Patches from anywhere in the bands to train on."""
        places = _bands()[..., :TRAINED].unfold(2, self.size, 1).unfold(3, self.size, 1)
        bands, _, rows, columns = places.shape[:4]

        def drawn(n: int, generator: Generator) -> Tensor:
            band, row, column = (torch.randint(m, (n,), generator=generator) for m in (bands, rows, columns))
            return places[band, :, row, column]

        return drawn

    def reference_data(self, net: Any) -> Tensor:
        """The patches held out: [2120, 3, 8, 8] or [520, 3, 16, 16]."""
        places = _bands()[..., TRAINED:].unfold(2, self.size, self.size).unfold(3, self.size, self.size)
        return places.permute(0, 2, 3, 1, 4, 5).flatten(0, 2).contiguous()


def _bands() -> Tensor:
    """Bands of both photographs [10, 3, 427, 128]."""
    from sklearn.datasets import load_sample_images

    try:
        photographs = load_sample_images().images
    except ImportError:
        raise BenchError(
            "patches: photographs are read with Pillow, which is not installed: pip install pillow"
        ) from None
    images = torch.stack([torch.from_numpy(image.copy()) for image in photographs]).float().div(127.5).sub(1)
    bands: Tensor = images.unflatten(2, (-1, BAND)).permute(0, 2, 4, 1, 3).flatten(0, 1)
    return bands


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [Patches]
