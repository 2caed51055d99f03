"""Expected calibration error of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, PositiveInt, hookimpl

from ._labels import indicators

if TYPE_CHECKING:
    from torch import Tensor


class MultilabelECE(Metric):
    """Gap between a label's probability and its frequency, averaged over bins.

    Expected calibration error of labels. Lower is better. probabilities [n, labels], target in [0, 1] [n, labels] or
    class numbers [n] -> scalar in [0, 1]. Every pair of an example and a label falls into one of `bins` equal-width
    bins of probability, (lower, upper] and 0 in the first; the bins' |mean target - mean probability| are weighted by
    their share of the pairs. Biased upward, most where pairs are few or the model is well calibrated, because noise
    within a bin counts as a gap. NaN where a probability is NaN.
    """

    bins: PositiveInt = 15
    tasks: ClassVar = ("classes", "multilabel")
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor) -> Tensor:
        p = probabilities.to(torch.promote_types(probabilities.dtype, torch.float32))
        gaps = (indicators(target, p).to(p.dtype) - p).flatten()
        edges = torch.arange(1, self.bins, device=p.device, dtype=p.dtype) / self.bins
        places = torch.bucketize(p.flatten(), edges)
        sums = torch.zeros(self.bins, device=p.device, dtype=p.dtype).scatter_add(0, places, gaps)
        return sums.abs().sum() / len(gaps)


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [MultilabelECE]
