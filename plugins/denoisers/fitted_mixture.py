"""The exact denoiser of a mixture that was fitted to real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from harness.stock.denoisers._mixture import Law, Mixture, mixture

from harness import BenchError, Count, Denoiser, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

SMOOTHING = 1e-3
"""Added to every variance: some pixels of the scans never change."""


class FittedMixture(Mixture):
    """The exact denoiser of a normal mixture with full covariances, fitted to real 8x8 images: 64 pixels in [-1, 1].

    `to` is digits, the 1,797 scans of Alpaydin and Kaynak (1998), or patches, the 8,480 grey tiles of scikit-learn's
    two photographs. The mixture itself is the target, known exactly; its fit is the same for every seed.
    """

    shape: ClassVar = (64,)
    to: Literal["digits", "patches"] = "digits"
    components: Count = 10

    def train(self, generator: Generator, report: Callable[..., None]) -> dict[str, Tensor]:
        """Weights, means and covariances by expectation-maximisation; nothing is drawn from `generator`."""
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(self.components, reg_covar=SMOOTHING, max_iter=300, random_state=0)
        model.fit(_digits() if self.to == "digits" else _patches())
        parts = {"weights": model.weights_, "means": model.means_, "covariances": model.covariances_}
        return {name: torch.from_numpy(part) for name, part in parts.items()}

    def law(self) -> Law:
        """Fitted anew."""
        return mixture(**self.train(torch.Generator(), lambda *_: None))

    def load(self, device: str, weights: Mapping[str, Tensor] | None = None) -> Law:
        """The mixture on a device, from what `train` gave; fitted anew without it."""
        return (mixture(**weights) if weights else self.law()).to(device)


def _digits() -> Any:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)[0] / 8 - 1


def _patches() -> Any:
    """[8480, 64]: tiles that do not overlap; what is left over at the edges is dropped. Raises BenchError."""
    from sklearn.datasets import load_sample_images

    try:
        photographs = load_sample_images().images
    except ImportError:
        raise BenchError("fitted_mixture needs pillow to read scikit-learn's photographs: pip install pillow") from None
    grey = torch.stack([torch.from_numpy(photograph.copy()) for photograph in photographs]).double().mean(-1)
    tiles = grey.unfold(1, 8, 8).unfold(2, 8, 8)
    return (tiles.reshape(-1, 64) / 127.5 - 1).numpy()


@hookimpl
def components() -> list[type[Denoiser]]:
    """What this file brings."""
    return [FittedMixture]
