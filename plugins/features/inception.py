"""Features of the Frechet inception distance."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from harness import BenchError, Feature, FilePath, PositiveInt, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"


class Inception(Feature):
    """Pooled features of Inception v3, as used by FID (Heusel et al., 2017).

    The 2048 features by torch-fidelity: samples [n, 1 or 3, height, width], black at `low` and white at `high` ->
    [n, 2048]; rounded to 8 bits and resized to 299x299 as in that library. `weights` is torch-fidelity's file of
    weights, by default in its own folder; nothing is downloaded. Raises BenchError where the library or the file is
    missing, or samples are no pictures.
    """

    reference = """
    @inproceedings{heusel2017fid, author = {Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler,
      Bernhard and Hochreiter, Sepp}, title = {{GANs} Trained by a Two Time-Scale Update Rule Converge to a
      Local {Nash} Equilibrium}, booktitle = {Advances in Neural Information Processing Systems}, year = {2017}}"""

    needs_data: ClassVar[bool] = False
    rounding: ClassVar[str | None] = "uint8"
    resize: ClassVar[str | None] = "299x299, bilinear as in TensorFlow 1"

    low: float = -1.0
    high: float = 1.0
    weights: FilePath | None = None
    batch: PositiveInt = 32

    def prepare(self, data: Tensor) -> dict[str, Tensor]:
        """Empty; checks before any sampling that library, weights and samples are usable."""
        self._network(data)
        return {}

    def __call__(self, prepared: Mapping[str, Tensor], x: Tensor) -> Tensor:
        network = self._network(x)
        gray = ((x.float() - self.low) / (self.high - self.low) * 255).round().clamp(0, 255).to(torch.uint8)
        with torch.no_grad():
            found = [network(rows)[0] for rows in gray.expand(-1, 3, -1, -1).split(self.batch)]
        return torch.cat(found)

    def _network(self, x: Tensor) -> Any:
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise BenchError(f"inception takes pictures of 1 or 3 channels, not samples {[*x.shape[1:]]}")
        file = Path(self.weights or Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS)
        return _loaded(file, str(x.device))


@functools.cache
def _loaded(file: Path, device: str) -> Any:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError as error:
        raise BenchError(f"inception needs torch-fidelity, which cannot be imported: {error}") from None
    if not file.is_file():
        raise BenchError(f"inception: no weights at {file}")
    return FeatureExtractorInceptionV3("inception", ["2048"], str(file)).to(device)


@hookimpl
def components() -> list[type[Feature]]:
    """The component classes of this module."""
    return [Inception]
