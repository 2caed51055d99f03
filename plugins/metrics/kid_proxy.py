"""Kernel distance in any feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness import Metric, hookimpl

from ._pairs import two_sample

if TYPE_CHECKING:
    from torch import Tensor


class KidProxy(Metric):
    """Kernel inception distance in any feature (Binkowski et al., 2018).

    MMD^2 with the kernel (x . y / d + 1)^3. Lower is better. features [n, d], reference_features [m, d] -> scalar. A
    U-statistic: unbiased at every n, below 0 as often as above for a perfect sampler; usable from a few hundred
    samples. It compares moments up to the third, and its unit is that of the features to the sixth power: compare
    within one feature only. All pairs are used, not subsets; the interval is that of the seeds.
    """

    reference = r"""
    @inproceedings{binkowski2018demystifying, author = {Bi{\'n}kowski, Miko{\l}aj and Sutherland, Danica J. and
      Arbel, Michael and Gretton, Arthur}, title = {Demystifying {MMD} {GANs}}, booktitle = {International
      Conference on Learning Representations}, year = {2018}}"""

    higher_is_better: ClassVar[bool | None] = False
    ideal: ClassVar[float | None] = 0.0

    def __call__(self, features: Tensor, reference_features: Tensor) -> float:
        return float(two_sample(_cubic, features.double(), reference_features.double()))


def _cubic(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T).div_(x.shape[1]).add_(1).pow_(3)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [KidProxy]
