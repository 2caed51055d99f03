"""Expected calibration error."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Metric, PositiveInt, hookimpl

from ._labels import hits

if TYPE_CHECKING:
    from torch import Tensor


class ECE(Metric):
    """Gap between confidence and accuracy, averaged over bins of confidence.

    Expected calibration error (Guo et al., 2017). Lower is better. probabilities [n, classes], target [n] -> scalar in
    [0, 1]. The largest probability of each example falls into one of `bins` equal-width bins (lower, upper]; the bins'
    |accuracy - confidence| are weighted by their share of the examples; the answers are those of `accuracy`. Biased
    upward, most where examples are few or the model is well calibrated, because noise within a bin counts as a gap. So
    compare it between contenders on the same examples, not with zero. NaN where a probability is NaN.
    """

    reference = """
    @inproceedings{guo2017calibration, author = {Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian
      Q.}, title = {On Calibration of Modern Neural Networks}, booktitle = {International Conference on Machine
      Learning}, year = {2017}}"""

    bins: PositiveInt = 15
    tasks: ClassVar = ("classes",)
    higher_is_better: ClassVar[bool | None] = False

    def __call__(self, probabilities: Tensor, target: Tensor, scores: Tensor | None = None) -> Tensor:
        p = probabilities.to(torch.promote_types(probabilities.dtype, torch.float32))
        confidence, exact = p.amax(-1), p.dtype
        gap = hits(p, target, scores).to(exact) - confidence
        edges = torch.arange(self.bins + 1, device=gap.device, dtype=exact) / self.bins
        inside = (confidence[:, None] > edges[:-1]) & (confidence[:, None] <= edges[1:])
        return (inside.to(exact) * gap[:, None]).sum(0).abs().sum() / gap.shape[0]


@hookimpl
def components() -> list[type[Metric]]:
    """The component classes of this module."""
    return [ECE]
