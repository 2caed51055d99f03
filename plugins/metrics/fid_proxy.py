"""Frechet distance in any feature, with the bias removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.stock.metrics._frechet import jackknifed, jackknifed_pair

from harness import BenchError, Metric, hookimpl

if TYPE_CHECKING:
    from torch import Tensor


class FidProxy(Metric):
    """Squared Frechet distance between normal fits of the features (Heusel et al., 2017), jackknifed. Lower is better.

    features [n, d], reference_features [m, d], moments: mean [d] and covariance [d, d] or None -> scalar. Against exact
    moments where there are any, so that only the samples are noisy; else against the reference, of which the bias is
    removed as well. What is left of the bias is of order 1/n^2: take n, m >= 32 d. Not clipped at 0: a perfect sampler
    is below as often as above. It sees two moments only: samples between the modes can pass. The interval is that of
    the seeds; real data are the same for every seed, so their noise is not in it. Raises BenchError for under 3 points.
    """

    better: ClassVar[str] = "lower"
    floor: ClassVar[float | None] = 0.0

    def __call__(self, features: Tensor, reference_features: Tensor, moments: tuple[Tensor, Tensor] | None) -> float:
        n = len(features) if moments else min(len(features), len(reference_features))
        if n < 3:
            raise BenchError(f"fid_proxy needs 3 samples or more, not {n}")
        x = features.double()
        if moments:
            return float(jackknifed(x, *(part.to(x) for part in moments)))
        return float(jackknifed_pair(x, reference_features.double()))


@hookimpl
def components() -> list[type[Metric]]:
    """What this file brings."""
    return [FidProxy]
