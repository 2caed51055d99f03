"""Frechet distance in any feature, with the bias removed."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, ClassVar

import torch

from harness import BenchError, Metric, hookimpl

from ._frechet import GROUPS, jackknifed, jackknifed_pair

if TYPE_CHECKING:
    from torch import Tensor
PROBE = 256
"""Size of the eigenvalue problem by which the time of larger ones is estimated."""


class FidProxy(Metric):
    """Frechet distance between normal fits of the features, bias removed.

    Squared (Heusel et al., 2017), jackknifed. Lower is better. features [n, d], reference_features [m, d], moments:
    mean [d] and covariance [d, d] or None -> scalar. It compares with exact moments where they are known, so that
    only the samples are noisy; else with the reference, whose bias is removed as well. The bias of a reference that
    is a file of `stats` stays: it cannot be estimated without its samples. The remaining bias is of order 1/n^2:
    take n, m >= 32 d. Fewer points than features are compared in the space that they span, which is fast. Not
    clipped at 0: a perfect sampler is below as often as above. It sees two moments only: samples between the modes
    can pass. The interval is that of the seeds; real data are the same for every seed, so their noise is not in it.
    Raises BenchError for under 3 points.
    """

    reference = """
    @inproceedings{heusel2017fid, author = {Heusel, Martin and Ramsauer, Hubert and Unterthiner, Thomas and Nessler,
      Bernhard and Hochreiter, Sepp}, title = {{GANs} Trained by a Two Time-Scale Update Rule Converge to a
      Local {Nash} Equilibrium}, booktitle = {Advances in Neural Information Processing Systems}, year = {2017}}"""

    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = 0.0

    def estimated_seconds(self, n: int, m: int | None, width: int) -> float:
        """Seconds by a small eigenvalue problem timed now: they grow like the cube of n or width, the smaller one."""
        size = min(n, width)
        probe = torch.randn(min(size, PROBE), PROBE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        began = time.perf_counter()
        torch.linalg.eigvalsh(probe @ probe.T)
        problems = (GROUPS + 2) * (1 if m is None else 2)
        return problems * (time.perf_counter() - began) * (size / len(probe)) ** 3

    def __call__(
        self, features: Tensor, moments: tuple[Tensor, Tensor] | None, reference_features: Tensor | None = None
    ) -> float:
        n = min(len(each) for each in (features, *([] if moments else [reference_features])) if each is not None)
        if n < 3:
            raise BenchError(f"fid_proxy needs 3 samples or more, not {n}")
        d = features.shape[1]
        if n < d:
            warnings.warn(
                f"{n} samples of {d} features: their covariance is singular and the distance mostly bias; take more "
                f"samples (32 per feature), or fewer features (feature: pca)",
                stacklevel=1,
            )
        x = features.double()
        if moments is not None:
            return float(jackknifed(x, *(part.to(x) for part in moments)))
        if reference_features is None:
            raise BenchError("fid_proxy needs moments or features of the reference")
        return float(jackknifed_pair(x, reference_features.double()))


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [FidProxy]
