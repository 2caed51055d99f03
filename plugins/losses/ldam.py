"""Label-distribution-aware margins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch

from harness import Loss, NonNegative, Positive, hookimpl

from ._scores import examples

if TYPE_CHECKING:
    from torch import Tensor


class LDAM(Loss):
    """Cross-entropy with larger margins for rare classes (Cao et al., 2019).

    Cross-entropy of `scale` times the logits, the label's reduced by a margin. Logits [batch, classes], labels [batch],
    counts [classes] -> [batch], nats; in float32 or wider. The margin of a class with n training examples is
    proportional to n^(-1/4) and is `max_margin` for the rarest; a class without any counts as having one. The
    publication's logits are cosines, hence its scale; use a smaller one for the logits of an ordinary last layer.
    """

    reference = """
    @inproceedings{cao2019ldam, author = {Cao, Kaidi and Wei, Colin and Gaidon, Adrien and Arechiga, Nikos and Ma,
      Tengyu}, title = {Learning Imbalanced Datasets with Label-Distribution-Aware Margin Loss}, booktitle =
      {Advances in Neural Information Processing Systems}, year = {2019}}"""

    tasks: ClassVar = ("classes",)
    max_margin: NonNegative = 0.5
    scale: Positive = 30.0

    def __call__(self, logits: Tensor, target: Tensor, class_counts: Tensor) -> Tensor:
        counts = examples(class_counts, logits)
        margins = self.max_margin * (counts.amin() / counts) ** 0.25
        label = target[:, None] == torch.arange(logits.shape[-1], device=logits.device)
        log_p = (self.scale * (logits - margins * label)).log_softmax(-1)
        return -log_p.gather(-1, target[:, None])[:, 0]


@hookimpl
def components() -> list[type[Loss]]:
    """The component classes of this module."""
    return [LDAM]
