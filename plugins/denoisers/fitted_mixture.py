"""Exact denoiser of a mixture fitted to real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch

from harness import BenchError, Denoiser, PositiveInt, hookimpl

from ._mixture import Law, Mixture, mixture

if TYPE_CHECKING:
    from torch import Generator, Tensor

SMOOTHING = 1e-3
"""Added to every variance: some pixels of the scans never change."""


class FittedMixture(Mixture):
    """Exact denoiser of a normal mixture fitted to real 8x8 images.

    Full covariances over 64 pixels in [-1, 1]. `to` is `digits`, the 1,797 scans of Alpaydin and Kaynak (1998), or
    `patches`, the 8,480 gray tiles of scikit-learn's two photographs. The mixture itself is the target, known exactly;
    its fit is the same for every seed.
    """

    shape = (64,)
    to: Literal["digits", "patches"] = "digits"
    components: PositiveInt = 10

    def train(self, generator: Generator, on_progress: Callable[..., None]) -> dict[str, Tensor]:
        """Weights, means and covariances by expectation-maximization; nothing is drawn from `generator`."""
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(self.components, reg_covar=SMOOTHING, max_iter=300, random_state=0)
        model.fit(_digits() if self.to == "digits" else _patches())
        parts = {"weights": model.weights_, "means": model.means_, "covariances": model.covariances_}
        return {name: torch.from_numpy(part) for name, part in parts.items()}

    def law(self) -> Law:
        """The mixture, fitted again."""
        return mixture(**self.train(torch.Generator(), lambda *_: None))

    def load(self, device: str, weights: Mapping[str, Tensor] | None = None) -> Law:
        """The mixture on a device, from the result of `train`; fitted again without it."""
        return (mixture(**weights) if weights else self.law()).to(device)


def _digits() -> Any:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)[0] / 8 - 1


def _patches() -> Any:
    """Tiles [8480, 64] that do not overlap; the remainders at the edges are dropped. Raises BenchError."""
    from sklearn.datasets import load_sample_images

    try:
        photographs = load_sample_images().images
    except ImportError:
        raise BenchError("fitted_mixture needs pillow to read scikit-learn's photographs: pip install pillow") from None
    gray = torch.stack([torch.from_numpy(photograph.copy()) for photograph in photographs]).double().mean(-1)
    tiles = gray.unfold(1, 8, 8).unfold(2, 8, 8)
    return (tiles.reshape(-1, 64) / 127.5 - 1).numpy()


@hookimpl
def components() -> list[type[Denoiser]]:
    """The component classes of this module."""
    return [FittedMixture]
