"""Patches of photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from harness import BenchError, Dataset, Examples, hookimpl

if TYPE_CHECKING:
    from torch import Generator


class Patches(Dataset):
    """Color patches of two photographs; the class is the photograph.

    Patches side by side of scikit-learn's two photographs of 640x427. 8x8: 8,480 rows of 192 columns; 16x16: 2,080 of
    768; columns in [0, 1], by channel, row and column. Neighboring patches look alike, so accuracy on a random split is
    an optimistic estimate for new photographs. Raises BenchError where Pillow, which reads photographs, is missing.
    """

    size: Literal[8, 16] = 8

    def load(self, generator: Generator) -> Examples:
        """The table from scikit-learn's own copies; nothing is downloaded."""
        from sklearn.datasets import load_sample_images

        try:
            photographs = load_sample_images().images
        except ImportError:
            raise BenchError("photographs are read with Pillow, which is not installed: pip install pillow") from None
        images = torch.stack([torch.from_numpy(image.copy()) for image in photographs]).float().div(255)
        places = images.unfold(1, self.size, self.size).unfold(2, self.size, self.size)  # [2, rows, columns, 3, h, w]
        inputs = places.flatten(1, 2).flatten(2)
        targets = torch.arange(len(inputs)).repeat_interleave(inputs.shape[1])
        return Examples(inputs=inputs.flatten(0, 1), targets=targets, classes=len(inputs))


@hookimpl
def components() -> list[type[Dataset]]:
    """The component classes of this module."""
    return [Patches]
